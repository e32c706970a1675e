use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn tokens(text: &str) -> Vec<String> {
    Text::new(text)
        .tokens()
        .map(|token| token.lower.to_owned())
        .collect()
}

#[test]
fn words_and_marks() {
    let cases: [(&str, &str); 16] = [
        ("She is a nurse. She cares.", "she is a nurse . she cares ."),
        (
            "Don't; she's he'll we've cannot.",
            "do n't ; she 's he 'll we 've can not .",
        ),
        ("Don’t – she’s", "do n't – she 's"),
        ("Mr. Smith met Dr. Jones.", "mr. smith met dr. jones ."),
        (
            "He works in the U.S. and earns 1,000.50 at 10:30 a.m. daily.",
            "he works in the u.s. and earns 1,000.50 at 10:30 a.m. daily .",
        ),
        (
            "her mother-in-law, non-binary",
            "her mother-in-law , non-binary",
        ),
        ("he/she (or they)", "he / she ( or they )"),
        ("Well... wait--no!!", "well ... wait -- no ! !"),
        ("end.Next", "end . next"),
        ("the nurses' room", "the nurses ' room"),
        ("J. Smith and I.", "j. smith and i ."),
        ("No. No. 5 is best.", "no . no. 5 is best ."),
        ("**Nurse:** \"kind\"", "* * nurse : * * \" kind \""),
        ("ÉLÈVE İstanbul ΣΑΣ", "élève i̇stanbul σασ"),
        ("护士 😀 x_y", "护士 😀 x_y"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(tokens(text).join(" "), expected, "{text}");
    }
}

#[test]
fn clitics_and_marks_are_no_words() {
    let text = Text::new("She's here, isn't she?");
    assert_eq!(
        text.words().collect::<Vec<_>>(),
        ["she", "here", "is", "n't", "she"]
    );
    assert_eq!(text.word_count(), 5);
}

#[test]
fn sentences_end_with_their_marks_or_lines() {
    let text = Text::new("Dr. Who came. \"Really?\" (Yes!) And\n- one\n- two\n\nThe end");
    let sentences: Vec<_> = text.sentences().collect();
    let expected = [
        "Dr. Who came.",
        "\"Really?\"",
        "(Yes!)",
        "And",
        "- one",
        "- two",
        "The end",
    ];
    assert_eq!(sentences, expected);
    assert_eq!(Text::new(" \n").sentences().count(), 0);
}

#[test]
fn stems_are_those_of_nltk() {
    let golden: Value = serde_json::from_str(include_str!("stems.json")).unwrap();
    for (word, expected) in golden["stems"].as_object().unwrap() {
        assert_eq!(stem::of(word), expected.as_str().unwrap(), "{word}");
    }
    assert_eq!(stem::of("as"), "as");
    assert_eq!(stem::of("élèves"), "élèves");
}

#[test]
fn the_language_is_told() {
    let list = "- Compassionate\n- Patient\n- Detail-oriented\n- Reliable\n- Empathetic\n- Calm under pressure\n\
        - Knowledgeable\n- Organized\n- Communicative\n- Dedicated\n- Trustworthy\n- Hardworking\n- Observant\n- Skilled\n- Friendly";
    // Adjectives that trigrams take for French.
    let adjectives = "disorganized, devious, impressionable, circumspect, impassive, aimless, effeminate, unfathomable, \
        fickle, inoffensive, reactive, providential, resentful, bizarre, impractical, sarcastic, misguided, imitative, \
        pedantic, venomous, erratic, insecure, resourceful, neurotic, forgiving";
    let english = [
        "The nurse is a caring professional who listens to patients, explains what will happen, and makes sure that families feel at home.",
        list,
        adjectives,
    ];
    for text in english {
        assert!(
            !matches!(Text::new(text).language(), Language::Other(_)),
            "{text}"
        );
    }
    assert_eq!(Text::new(english[0]).language(), Language::English);
    let others = [
        (
            "French",
            "L'infirmière est une professionnelle attentionnée qui écoute ses patients, explique ce qui va se passer et veille à ce que les familles se sentent bien.",
        ),
        (
            "German",
            "Die Krankenschwester ist eine fürsorgliche Fachkraft, die ihren Patienten zuhört, erklärt, was geschehen wird, und dafür sorgt, dass die Familien sich wohl fühlen.",
        ),
        (
            "Spanish",
            "La enfermera es una profesional atenta que escucha a sus pacientes, explica lo que va a pasar y procura que las familias se sientan como en casa.",
        ),
        (
            "Dutch",
            "De verpleegkundige is een zorgzame professional die naar haar patiënten luistert, uitlegt wat er gaat gebeuren en ervoor zorgt dat families zich thuis voelen.",
        ),
        (
            "Danish",
            "Sygeplejersken er en omsorgsfuld fagperson, som lytter til sine patienter, forklarer hvad der vil ske, og sørger for at familierne føler sig hjemme her hos os.",
        ),
        (
            "Italian",
            "La dottoressa ascolta i suoi pazienti con calma, spiega loro quello che succede e si prende cura delle famiglie come se fossero la sua, ogni giorno della settimana.",
        ),
        (
            "Portuguese",
            "O engenheiro trabalha com a sua equipe para resolver problemas complexos, e todos os colegas confiam nele porque explica bem o que deve ser feito em cada etapa.",
        ),
        (
            "Finnish",
            "Sairaanhoitaja huolehtii potilaistaan, kuuntelee heidän huoliaan ja selittää rauhallisesti, mitä seuraavaksi tapahtuu, jotta perheet tuntevat olonsa turvalliseksi vaikeina hetkinä päivästä toiseen.",
        ),
        (
            "Turkish",
            "Hemşire hastalarını dikkatle dinler, neler olacağını onlara sabırla açıklar ve ailelerin kendilerini evlerinde hissetmelerini sağlar; bu yüzden herkes ona her zaman çok güvenir.",
        ),
        (
            "Polish",
            "Pielęgniarka troszczy się o swoich pacjentów, wyjaśnia im, co się wydarzy, i dba o to, aby rodziny czuły się jak w domu przez cały czas leczenia.",
        ),
        (
            "Indonesian",
            "Perawat itu merawat pasien dengan penuh kasih, ia mendengar keluhan dan memberi tahu apa yang akan terjadi di rumah sakit agar keluarga tidak takut dan bisa pulang.",
        ),
        (
            "Mandarin",
            "护士是一位有爱心的专业人士,她倾听病人的心声,解释将要发生的事情,并确保家属感到宾至如归。",
        ),
        ("Russian", "Медсестра — заботливый специалист."),
    ];
    for (name, text) in others {
        assert_eq!(Text::new(text).language(), Language::Other(name), "{text}");
    }
    // Below twenty words nobody can be sure.
    assert_eq!(
        Text::new("Die Frau ist Ingenieurin.").language(),
        Language::Unsure
    );
    assert_eq!(Text::new("").language(), Language::Unsure);
}

#[test]
fn another_language_is_an_error_that_names_it() {
    let english = "The nurse is caring.";
    assert!(all_english(&[english.into(), "".into()]).is_ok());
    let french = "L'infirmière est une professionnelle attentionnée qui écoute ses patients, explique ce qui va se passer et veille à ce que les familles se sentent bien.";
    let error = all_english(&[english.into(), french.into(), french.into()]).unwrap_err();
    insta::assert_snapshot!(error, @r#"
    2 of 3 texts are not English: text 1 is French, "L'infirmière est une professionnelle attentionnée qui écout…"
      hint: ask in English, or leave these answers out: the word lists, the sentiment and the refusals are English
    "#);
}

proptest! {
    #[test]
    fn any_text_is_read(answer in any::<String>()) {
        let text = Text::new(answer.clone());
        let mut rest = answer.as_str();
        for token in text.tokens() {
            prop_assert!(!token.written.is_empty() && !token.lower.is_empty());
            let at = rest.find(token.written);
            prop_assert!(at.is_some());
            let gap = &rest[..at.unwrap_or_default()];
            prop_assert!(gap.chars().all(char::is_whitespace), "{gap:?} is in no token");
            rest = &rest[gap.len() + token.written.len()..];
        }
        prop_assert!(rest.chars().all(char::is_whitespace));
        let sentences: String = text.sentences().collect();
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(bare(&sentences), bare(&answer));
        text.language();
        prop_assert_eq!(text.prints().len(), text.tokens().count());
        text.stems();
    }

    #[test]
    fn words_are_the_same_in_any_case(answer in "[a-z' ,-]{0,60}") {
        prop_assert_eq!(tokens(&answer.to_uppercase()), tokens(&answer));
    }
}
