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
fn an_apostrophe_is_one_however_it_was_typed() {
    let apostrophes = ['\'', '’', '‘', '‛', 'ʼ', 'ʻ', 'ʹ', '`', '´', '′', '＇'];
    for apostrophe in apostrophes {
        let text =
            format!("She isn{apostrophe}t here, and it{apostrophe}s Mary{apostrophe}s room.");
        assert_eq!(
            tokens(&text).join(" "),
            "she is n't here , and it 's mary 's room .",
            "{apostrophe:?}"
        );
    }
    // Between words these are not apostrophes.
    assert_eq!(tokens("a `b` 5′ c").join(" "), "a ` b ` 5 ′ c");
}

#[test]
fn a_letter_and_its_accent_are_one() {
    let cases = [
        ("re\u{301}sume\u{301}", "résumé"),
        ("RE\u{301}SUME\u{301}", "résumé"),
        ("Zoe\u{308}'s nai\u{308}ve cafe\u{301}", "zoë 's naïve café"),
        ("Nguye\u{302}\u{303}n", "nguyễn"),
        // No single character exists for this one.
        ("x\u{302}y z", "x\u{302}y z"),
    ];
    for (text, expected) in cases {
        assert_eq!(tokens(text).join(" "), expected, "{text}");
    }
    let (apart, one) = (Text::new("A re\u{301}sume\u{301}."), Text::new("A résumé."));
    assert_eq!(apart.word_count(), 2);
    assert_eq!(apart.answer(), one.answer());
    assert_eq!((apart.stems(), apart.prints()), (one.stems(), one.prints()));
    assert_eq!(Text::new("x\u{302}y").letters().count(), 1);
    // The variation selector of an emoji is not a word.
    assert_eq!(Text::new("I ❤\u{fe0f} it").word_count(), 2);
    assert_eq!(Text::new("❤\u{fe0f}").stems().len(), 0);
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
        assert_eq!(stem::stem_of(word), expected.as_str().unwrap(), "{word}");
    }
    assert_eq!(stem::stem_of("as"), "as");
    assert_eq!(stem::stem_of("élèves"), "élèves");
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
    // Fewer than twenty words are not enough to be sure.
    assert_eq!(
        Text::new("Die Frau ist Ingenieurin.").language(),
        Language::Unsure
    );
    assert_eq!(Text::new("").language(), Language::Unsure);
}

fn short(whos: [&str; 6], deeds: [&str; 6], n: usize) -> Vec<Text> {
    let pair = |at: usize| format!("{} {}", whos[at % 6], deeds[at / 6 % 6]);
    (0..n).map(|at| Text::new(pair(at))).collect()
}

/// Portuguese answers of 13 to 18 words, none of which is detected alone.
fn portuguese(n: usize) -> Vec<Text> {
    let whos = [
        "A enfermeira cuida dos pacientes",
        "O engenheiro trabalha com os colegas",
        "A professora fala com os alunos",
        "O motorista sai de casa muito cedo",
        "A cozinheira prepara a comida",
        "O padeiro faz o pão",
    ];
    let deeds = [
        "e não se esquece de perguntar como foi a noite.",
        "porque gosta do que faz e quer ajudar a todos.",
        "mas também tem tempo para a família e os amigos.",
        "com muita calma, mesmo quando o dia é longo e difícil.",
        "e todos dizem que é uma pessoa em quem se pode confiar.",
        "sem pressa, para que tudo fique bem feito até o fim.",
    ];
    short(whos, deeds, n)
}

fn english(n: usize) -> Vec<Text> {
    let whos = [
        "The nurse cares for the patients",
        "Kind, patient, calm, reliable, honest, brave",
        "The teacher talks with the pupils",
        "The driver leaves the house very early",
        "Nurse Jackie, thirty, works nights",
        "The baker makes bread each day",
    ];
    let deeds = [
        "and does not forget to ask about the night.",
        "because the work is good and helps everybody.",
        "but there is time for friends too.",
        "with great calm, even when the day is long.",
        "- strong - fit - fast",
        "without hurry, so that all is well done.",
    ];
    short(whos, deeds, n)
}

#[test]
fn short_texts_are_told_by_their_company() {
    let texts = portuguese(180);
    let words: Vec<_> = texts.iter().map(Text::word_count).collect();
    assert!(
        words.iter().all(|words| (11..20).contains(words)),
        "{words:?}"
    );
    assert!(texts.iter().all(|text| text.language() == Language::Unsure));
    let found = languages(&texts);
    let right = found
        .iter()
        .filter(|one| **one == Language::Other("Portuguese"));
    assert!(right.count() >= 170, "{found:?}");
    assert!(all_english(&texts).is_err());
    assert!(all_english(&english(180)).is_ok());
}

#[test]
fn five_spanish_answers_among_180_are_told() {
    let spanish = [
        "La enfermera cuida a los pacientes y siempre tiene una palabra amable para cada uno.",
        "El ingeniero trabaja con sus compañeros para que el puente esté listo antes de fin de año.",
        "La maestra habla con los niños y les explica todo lo que no entienden.",
        "El panadero se levanta muy temprano y hace el pan para toda la gente del barrio.",
        "El conductor sale de casa cuando todavía es de noche y vuelve por la tarde.",
    ];
    let mut texts = english(175);
    for (place, answer) in spanish.into_iter().enumerate() {
        texts.insert(30 * place, Text::new(answer));
    }
    let found = languages(&texts);
    let foreign: Vec<_> = (0..180)
        .filter(|&at| matches!(found[at], Language::Other(_)))
        .collect();
    assert_eq!(foreign, [0, 30, 60, 90, 120]);
    assert_eq!(found[0], Language::Other("Spanish"));
    // A single one can't be distinguished from a mixture.
    assert_eq!(languages(&[Text::new(spanish[0])]), [Language::Unsure]);
    assert!(languages(&[]).is_empty());
}

#[test]
fn another_language_is_an_error_that_names_it() {
    let english = "The nurse is caring.";
    assert!(all_english(&[english.into(), "".into()]).is_ok());
    let french = "L'infirmière est une professionnelle attentionnée qui écoute ses patients, explique ce qui va se passer et veille à ce que les familles se sentent bien.";
    let error = all_english(&[english.into(), french.into(), french.into()]).unwrap_err();
    insta::assert_snapshot!(error, @r#"
    2 of 3 texts are not English: text 1 is French, "L'infirmière est une professionnelle attentionnée qui écout…"
      hint: ask in English, or leave these answers out: the word lists, sentiment scores and refusal phrases are English
    "#);
}

proptest! {
    #[test]
    fn any_text_is_read(answer in any::<String>()) {
        let text = Text::new(answer);
        let answer = text.answer();
        let mut rest = answer;
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
        prop_assert_eq!(bare(&sentences), bare(answer));
        text.language();
        prop_assert_eq!(text.prints().len(), text.tokens().count());
        text.stems();
    }

    #[test]
    fn words_are_the_same_in_any_case(answer in "[a-z' ,-]{0,60}") {
        prop_assert_eq!(tokens(&answer.to_uppercase()), tokens(&answer));
    }
}
