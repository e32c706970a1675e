use proptest::prelude::*;

use super::outline::MAX_DEPTH;
use super::*;

fn read(text: &str) -> Option<String> {
    let json = Json::new(text.to_owned()).ok()?;
    Some(json.text().to_owned())
}

#[test]
fn white_space_goes_between_tokens_and_stays_in_strings() {
    let text = " {\"a b\" :\t[ 1,\r\n\"c \\\" d\\\\\" , \" \" ] }\n";
    let compact = r#"{"a b":[1,"c \" d\\"," "]}"#;
    assert_eq!(read(text).as_deref(), Some(compact));
    assert_eq!(read(compact).as_deref(), Some(compact));
}

#[test]
fn only_brackets_outside_of_strings_count_as_nesting() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(MAX_DEPTH)).is_some());
    assert!(read(&nested(MAX_DEPTH + 1)).is_none());
    let text = format!(
        r#"["\"{}","\\",{}]"#,
        "[{".repeat(500),
        nested(MAX_DEPTH - 1)
    );
    assert_eq!(read(&text), Some(text));
}

#[test]
fn a_value_of_another_kind_has_no_fields_and_no_items() {
    for text in ["null", "7", "\"{}\"", "true"] {
        let json = Json::new(text.to_owned()).unwrap();
        assert!(field(json.raw(), "a").is_none(), "{text}");
        assert!(items(json.raw(), 9).is_empty(), "{text}");
        assert!(entries(json.raw(), 9).is_empty(), "{text}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaves = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        r#"[ "\\{}\[\]:,a-cä\n\t]{0,12}"#.prop_map(Value::from),
    ];
    leaves.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(r#"[ "\\{}a-c]{0,5}"#, inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_text_is_the_same_with_and_without_white_space(value in values()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(read(&pretty), Some(value.to_string()));
    }
}
