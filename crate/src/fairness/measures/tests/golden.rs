//! Reference values computed once with the original implementations; the first lines of each file
//! name them.

use serde_json::Value;

use super::super::cobs::Counted;
use super::super::*;
use crate::fairness::lexicon::{Group, Lexicon};
use crate::fairness::text::{StopWords, Text};

fn golden(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn texts(list: &Value) -> Vec<Text> {
    strings(list).into_iter().map(Text::from).collect()
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

#[track_caller]
fn assert_near(actual: Option<f64>, expected: &Value) {
    let (actual, expected) = (actual.unwrap(), expected.as_f64().unwrap());
    assert!((actual - expected).abs() < 1e-9, "{actual} for {expected}");
}

fn group(name: &str, words: &str, apart: bool) -> Group {
    let words = words.split_whitespace().map(str::to_owned).collect();
    Group {
        name: name.to_owned(),
        words,
        apart,
    }
}

fn helm() -> Lexicon {
    let female = "she daughter hers her mother woman girl herself female sister daughters \
        mothers women girls femen sisters aunt aunts niece nieces";
    let male = "he son his him father man boy himself male brother sons fathers men boys males \
        brothers uncle uncles nephew nephews";
    Lexicon::new([group("female", female, false), group("male", male, false)]).unwrap()
}

#[test]
fn helm_bias() {
    let golden = golden(include_str!("../golden/helm_bias.json"));
    let (texts, lexicon) = (texts(&golden["texts"]), helm());
    assert_near(
        representation(&texts, &lexicon),
        &golden["demographic_representation"],
    );
    for (place, group) in lexicon.groups().iter().enumerate() {
        let words = texts.iter().map(|text| lexicon.count(text)[place]);
        assert_eq!(golden["group_counts"][&group.name], words.sum::<usize>());
        assert_eq!(golden["n_group_words"][&group.name], group.words.len());
    }
    // HELM's adjectives and professions that occur in the texts.
    let adjectives = [
        "assertive",
        "caring",
        "ambitious",
        "sympathetic",
        "gentle",
        "logical",
    ];
    let found = association(&texts, &lexicon, &adjectives);
    assert_near(found.mean, &golden["stereotypical_associations_adjective"]);
    let professions = ["doctor", "nurse", "teacher", "engineer"];
    let found = association(&texts, &lexicon, &professions);
    for target in &found.targets {
        let expected = &golden["profession_counts"][&target.word];
        let counts: Vec<_> = target.counts.iter().map(|&count| count as f64).collect();
        assert_eq!(
            counts,
            numbers(&expected["female_male_counts"]),
            "{}",
            target.word
        );
        assert_near(target.score, &expected["bias"]);
    }
    let found = association(&texts, &lexicon, &professions[..3]);
    assert_near(found.mean, &golden["stereotypical_associations_profession"]);
    for row in golden["group_counts_to_bias_unit"].as_array().unwrap() {
        let counts: Vec<_> = numbers(&row["counts"])
            .iter()
            .map(|&count| count as usize)
            .collect();
        match &row["bias"] {
            Value::Null => assert_eq!(total_variation(&counts, &[20, 20]), None),
            bias => assert_near(total_variation(&counts, &[20, 20]), bias),
        }
    }
}

/// GenBit's groups, as far as their words occur in the texts. Its list of non-binary words includes
/// the occupations.
fn genbit_lexicon() -> Lexicon {
    Lexicon::new([
        group("female", "she her woman girl", false),
        group("male", "he his him man", false),
        group("non-binary", "nurse engineer teacher doctor", true),
    ])
    .unwrap()
}

#[test]
fn genbit_score() {
    let golden = golden(include_str!("../golden/genbit.json"));
    let texts = texts(&golden["texts"]);
    let stop = StopWords::new(
        "is a the and an said was became because wants to become".split_whitespace(),
    );
    for (run, percentile) in [("default_cutoff80", 80.0), ("cutoff0", 0.0)] {
        let expected = &golden[run];
        let found = genbit(&texts, &genbit_lexicon(), &stop, percentile).unwrap();
        assert_near(found.score, &expected["genbit_score"]);
        assert_near(
            found.signed,
            &expected["additional_metrics"]["avg_bias_conditional"],
        );
        assert_near(
            Some(found.cutoff),
            &expected["statistics"]["frequency_cutoff"],
        );
        let words = expected["token_based_metrics"].as_object().unwrap();
        assert_eq!(found.words.len(), words.len());
        for word in &found.words {
            let expected = &words[&word.word];
            assert_near(Some(word.bias), &expected["bias_conditional_ratio"]);
            assert_near(Some(word.frequency as f64), &expected["frequency"]);
            let counts = [
                "female_count",
                "male_count",
                "non_binary_count",
                "trans_count",
            ];
            for (near, count) in word.proximity.iter().zip(counts) {
                assert_near(Some(*near), &expected[count]);
            }
            let given = [
                "female_conditional_prob",
                "male_conditional_prob",
                "non_binary_conditional_prob",
            ];
            for (given, name) in word.conditional_probability.iter().zip(given) {
                assert_near(Some(*given), &expected[name]);
            }
            assert_near(
                Some(word.conditional_probability[0] + word.conditional_probability[1]),
                &expected["binary_conditional_prob"],
            );
        }
        genbits_other_ratios(&found, expected);
    }
}

/// GenBit's ratios of the groups that it counts apart, computed from our results. No word of its
/// trans and cis groups occurs in the texts, but these groups also count the non-binary words: all
/// of them are *trans*. GenBit sets its standard deviations to 0, and never sets a word's trans and
/// cis values.
fn genbits_other_ratios(found: &GenBit, expected: &Value) {
    let [female, male, non_binary] = [0, 1, 2].map(|place| found.group_words[place] as f64);
    let vocabulary =
        found.words[0].proximity[0] / found.words[0].conditional_probability[0] - female;
    let ratio = |word: &WordBias| (word.proximity[1] / word.proximity[0]).ln();
    let apart =
        |word: &WordBias| ((word.proximity[0] + word.proximity[1] - 1.0) / word.proximity[2]).ln();
    let apart_given = |word: &WordBias| {
        let binary = (word.proximity[0] + word.proximity[1] - 1.0) / (female + male + vocabulary);
        (binary / word.conditional_probability[2]).ln()
    };
    let trans = |word: &WordBias| -word.proximity[2].ln();
    let trans_given = |word: &WordBias| {
        let trans = word.proximity[2] / (2.0 * non_binary + vocabulary);
        (1.0 / vocabulary / trans).ln()
    };
    type Of<'a> = &'a dyn Fn(&WordBias) -> f64;
    let of_words: [(&str, Of<'_>); 3] = [
        ("bias_ratio", &ratio),
        ("non_binary_bias_ratio", &apart),
        ("non_binary_bias_conditional_ratio", &apart_given),
    ];
    for word in &found.words {
        for (name, value) in of_words {
            let expected = &expected["token_based_metrics"][&word.word];
            assert_near(Some(value(word)), &expected[name]);
        }
    }
    let means: [(&str, Of<'_>); 6] = [
        ("avg_bias_ratio", &ratio),
        ("avg_bias_conditional", &|word| word.bias),
        ("avg_non_binary_bias_ratio", &apart),
        ("avg_non_binary_bias_conditional", &apart_given),
        ("avg_trans_cis_bias_ratio", &trans),
        ("avg_trans_cis_bias_conditional", &trans_given),
    ];
    let mean = |value: &dyn Fn(&WordBias) -> f64| {
        found.words.iter().map(value).sum::<f64>() / found.words.len() as f64
    };
    let metrics = &expected["additional_metrics"];
    for (name, value) in means {
        assert_near(Some(mean(value)), &metrics[name]);
        let absolute = mean(&|word| value(word).abs());
        assert_near(Some(absolute), &metrics[format!("{name}_absolute")]);
    }
    let statistics = &expected["statistics"];
    assert_near(Some(found.divergence), &statistics["jsd"]);
    assert_eq!(statistics["num_words_considered"], found.words.len());
    let all = female + male + non_binary;
    for (group, words) in [
        ("female", female),
        ("male", male),
        ("non_binary", non_binary),
    ] {
        let count = &statistics[format!("freq_of_{group}_gender_definition_words")];
        assert_near(Some(words), count);
        let share = &expected[format!("percentage_of_{group}_gender_definition_words")];
        assert_near(Some(words / all), share);
    }
}

#[test]
fn langfair_similarity() {
    let golden = golden(include_str!("../golden/langfair_counterfactual.json"));
    let results = &golden["results"];
    let sides = [("raw", &golden), ("neutralized", &golden["neutralized"])];
    for (name, sides) in sides {
        let (male, female) = (texts(&sides["male"]), texts(&sides["female"]));
        let pairs = || male.iter().zip(&female);
        let bleu = &results[format!("bleu_{name}_pairwise")];
        let rouge = &results[format!("rougeL_{name}_pairwise")];
        for (at, (male, female)) in pairs().enumerate() {
            assert_near(super::super::bleu(male, female), &bleu[at]);
            assert_near(rouge_l(male, female), &rouge[at]);
        }
        let mean = |score: fn(&Text, &Text) -> Option<f64>| {
            let scores: Vec<_> = pairs().filter_map(|(a, b)| score(a, b)).collect();
            Some(scores.iter().sum::<f64>() / scores.len() as f64)
        };
        assert_near(
            mean(super::super::bleu),
            &results[format!("bleu_{name}_mean")],
        );
        assert_near(mean(rouge_l), &results[format!("rougeL_{name}_mean")]);
        // Stemming does not change any similarity in these texts.
        let unstemmed = &results[format!("rougeL_{name}_pairwise_no_stemmer")];
        assert_eq!(unstemmed, rouge);
    }
    let summary = &results["CounterfactualMetrics"];
    assert_eq!(summary["Bleu Similarity"], results["bleu_neutralized_mean"]);
    assert_eq!(
        summary["RougeL Similarity"],
        results["rougeL_neutralized_mean"]
    );
    assert_eq!(
        summary["Sentiment Bias"],
        results["sentiment_bias_strong_neg"]
    );
}

#[test]
fn langfair_sentiment_bias() {
    let golden = golden(include_str!("../golden/langfair_counterfactual.json"));
    let results = &golden["results"];
    for (name, sentiment) in [("neg", Sentiment::Negative), ("pos", Sentiment::Positive)] {
        let scores = |side: &str| {
            let scores = sentiment.scores(&texts(&golden[side])).unwrap();
            scores.into_iter().map(Option::unwrap).collect::<Vec<_>>()
        };
        let (male, female) = (scores("male"), scores("female"));
        let strong = &results[format!("sentiment_bias_strong_{name}")];
        assert_near(sentiment_gap(&male, &female), strong);
        let weak = &results[format!("sentiment_bias_weak_{name}_thr0.2")];
        assert_near(rate_gap(&male, &female, 0.2), weak);
        let pairs = numbers(&results[format!("sentiment_pairwise_absdiff_{name}")]);
        for ((male, female), expected) in male.iter().zip(&female).zip(pairs) {
            assert!(((male - female).abs() - expected).abs() < 1e-9);
        }
    }
}

#[test]
fn langfair_stereotype() {
    let golden = golden(include_str!("../golden/langfair_stereotype.json"));
    let texts = texts(&golden["texts"]);
    // LangFair's 29 words each; `Mr.` and `Mrs.` with capitals are never found, since it searches
    // in lower case, but they count for the length of the list.
    let female = "she daughter hers her mother woman girl herself female sister daughters \
        mothers women girls females sisters aunt aunts niece nieces lady ladies grandmother \
        grandmothers girfriend girlfriends mrs-never-found gal gals";
    let male = "he son his him father man boy himself male brother sons fathers men boys males \
        brothers uncle uncles nephew nephews gentleman gentlemen grandfather grandfathers \
        boyfriend boyfriends mr-never-found guy guys";
    let lexicon =
        Lexicon::new([group("female", female, false), group("male", male, false)]).unwrap();
    assert!(lexicon.groups().iter().all(|group| group.words.len() == 29));
    for kind in ["adjectives", "professions"] {
        let expected = &golden[kind];
        let targets = strings(&golden["target_words"][kind]);
        let found = cobs(&texts, &lexicon, &StopWords::english(), &targets).unwrap();
        assert_near(found.mean, &expected["cobs_mean"]);
        let words = expected["cobs_word_level"].as_object().unwrap();
        assert_eq!(found.words.len(), words.len());
        for (word, score) in &found.words {
            assert_near(Some(*score), &words[word]);
        }
        let found = association(&texts, &lexicon, &targets);
        assert_near(found.mean, &expected["stereotypical_association_mean_TV"]);
    }
    let mut counted = Counted::default();
    let stop = StopWords::english();
    for text in &texts {
        counted.count_text(text, [0, 1], &lexicon, &stop);
    }
    let between = &golden["intermediate"];
    for (side, group) in ["group1", "group2"].into_iter().enumerate() {
        assert_near(Some(counted.sums[side]), &between["tot_cooccur"][group]);
        for word in ["nurse", "assertive"] {
            let expected = &between[format!("cooccur_{word}")][group];
            assert_near(Some(counted.near[word][side]), expected);
        }
    }
    assert_eq!(between["n_female_words"], counted.group_words[0]);
    assert_eq!(between["n_male_words"], counted.group_words[1]);
    // Words that LangFair drops silently.
    let found = cobs(
        &texts,
        &lexicon,
        &StopWords::english(),
        &["teacher", "doctor", "pilot"],
    );
    let one_sided = [("teacher".to_owned(), 1), ("doctor".to_owned(), 0)];
    assert_eq!(found.unwrap().one_sided, one_sided);
}

#[test]
fn vader() {
    let golden = golden(include_str!("../golden/vader.json"));
    for row in golden["rows"].as_array().unwrap() {
        let text = Text::from(row["text"].as_str().unwrap());
        assert_near(Sentiment::Compound.score(&text).unwrap(), &row["compound"]);
        assert_near(Sentiment::Positive.score(&text).unwrap(), &row["pos"]);
        assert_near(Sentiment::Negative.score(&text).unwrap(), &row["neg"]);
    }
}

#[test]
fn fairlearn_metric_frame() {
    let golden = golden(include_str!("../golden/fairlearn_metricframe.json"));
    let groups = strings(&golden["gender"]);
    let rows: Vec<_> = numbers(&golden["y_true"])
        .into_iter()
        .zip(numbers(&golden["y_pred"]))
        .collect();
    let selected =
        |rows: &[&(f64, f64)]| Some(rows.iter().map(|row| row.1).sum::<f64>() / rows.len() as f64);
    let positive = |rows: &[&(f64, f64)]| {
        let truly: Vec<_> = rows.iter().copied().filter(|row| row.0 == 1.0).collect();
        selected(&truly)
    };
    let frames = [
        ("selection_rate", MetricFrame::new(&groups, &rows, selected)),
        ("tpr", MetricFrame::new(&groups, &rows, positive)),
        (
            "count",
            MetricFrame::new(&groups, &rows, |rows| Some(rows.len() as f64)),
        ),
    ];
    for (name, frame) in frames {
        for (group, value) in frame.by_group() {
            assert_near(*value, &golden["by_group"][name][group]);
        }
        assert_near(frame.overall(), &golden["overall"][name]);
        assert_near(
            frame.difference(),
            &golden["difference_between_groups"][name],
        );
        assert_near(
            frame.difference_to_overall(),
            &golden["difference_to_overall"][name],
        );
        assert_near(frame.ratio(), &golden["ratio_between_groups"][name]);
        assert_near(frame.group_min(), &golden["group_min"][name]);
        assert_near(frame.group_max(), &golden["group_max"][name]);
    }
    let of = |truth: f64| {
        let rate = move |rows: &[&(f64, f64)]| {
            let of_truth = rows.iter().copied().filter(|row| row.0 == truth);
            selected(&of_truth.collect::<Vec<_>>())
        };
        MetricFrame::new(&groups, &rows, rate).difference().unwrap()
    };
    let selection = MetricFrame::new(&groups, &rows, selected);
    let parity = [selection.difference(), selection.ratio()];
    assert_near(parity[0], &golden["demographic_parity_difference"]);
    assert_near(parity[1], &golden["demographic_parity_ratio"]);
    let odds = of(0.0).max(of(1.0));
    assert_near(Some(odds), &golden["equalized_odds_difference"]);
}

#[test]
fn fighting_words_of_monroe() {
    let golden = golden(include_str!("../golden/fighting_words.json"));
    let nobody = Lexicon::new([]).unwrap();
    let counts = |side: &str| {
        let text = Text::from(golden[side].as_str().unwrap());
        word_counts([&text], &nobody)
    };
    let (a, b, background) = (counts("group_a"), counts("group_b"), counts("background"));
    let words = || a.keys().chain(b.keys()).cloned();
    let flat: WordCounts = words().map(|word| (word, 0.1)).collect();
    let of_background = |word: String| {
        let count = background.get(&word).copied().unwrap_or_default() + 0.5;
        (word, count)
    };
    let informative: WordCounts = words().map(of_background).collect();
    let runs = [
        ("uninformative_alpha_0.1", flat),
        ("informative_alpha_w=bg_count+0.5", informative),
    ];
    for (name, prior) in runs {
        let expected = golden[name].as_object().unwrap();
        let found = fighting_words(&a, &b, &prior);
        assert_eq!(found.len(), expected.len());
        for word in found {
            assert_near(Some(word.delta), &expected[&word.word]["delta"]);
            assert_near(Some(word.z), &expected[&word.word]["z"]);
            if word.z != 0.0 {
                let var = (word.delta / word.z).powi(2);
                assert_near(Some(var), &expected[&word.word]["var"]);
            }
        }
    }
}
