//! Positions in a cell, for completion and inspection.
//!
//! The protocol counts code points. evcxr counts what a reader takes for a character, which may be
//! several. So evcxr is given code in which each code point is one, and no other position is used than
//! one in this code. What evcxr wants to replace is checked: a completion never removes anything but
//! the beginning of the name that it completes.

use serde_json::{Value, json};

use crate::kernel::rust_text::{Kind, tokens};

/// The content of a request as evcxr is given it.
pub fn for_evcxr(kind: &str, content: &Value) -> Value {
    let mut content = content.clone();
    let code = content["code"].as_str().unwrap_or_default().to_owned();
    let length = code.chars().count();
    let asked = content["cursor_pos"]
        .as_u64()
        .and_then(|at| usize::try_from(at).ok());
    let mut position = asked.unwrap_or(length).min(length);
    if kind == "inspect_request" {
        position = named(&code, position);
    }
    content["code"] = code.chars().map(single).collect::<String>().into();
    content["cursor_pos"] = position.into();
    content
}

/// The answer to such a request, from evcxr's answer.
pub fn answer(kind: &str, content: &Value, answer: Value) -> Value {
    match kind {
        "complete_request" => completed(content, answer),
        "inspect_request" if answer["status"] != "ok" => {
            json!({"status": "ok", "found": false, "data": {}, "metadata": {}})
        }
        _ => answer,
    }
}

fn completed(content: &Value, mut answer: Value) -> Value {
    let code: Vec<char> = content["code"]
        .as_str()
        .unwrap_or_default()
        .chars()
        .collect();
    let number = |value: &Value| value.as_u64().and_then(|at| usize::try_from(at).ok());
    let position = number(&content["cursor_pos"])
        .unwrap_or(code.len())
        .min(code.len());
    let (start, end) = (
        number(&answer["cursor_start"]),
        number(&answer["cursor_end"]),
    );
    let is_name = |part: &[char]| {
        let part = part.strip_prefix(&[':']).unwrap_or(part);
        part.iter()
            .all(|next| next.is_alphanumeric() || *next == '_')
    };
    let replaced = start.zip(end).filter(|(start, end)| {
        *start <= position && position <= *end && code.get(*start..*end).is_some_and(is_name)
    });
    let Some((start, end)) = replaced.filter(|_| answer["status"] == "ok") else {
        return json!({
            "status": "ok", "matches": [], "metadata": {},
            "cursor_start": position, "cursor_end": position,
        });
    };
    let is_whole = |text: &Value| {
        text.as_str()
            .is_some_and(|text| !text.contains(['\n', '$']) && !text.is_empty())
    };
    let types = answer["metadata"]["_jupyter_types_experimental"].take();
    let types = types.as_array().cloned().unwrap_or_default();
    let matches = answer["matches"].as_array().cloned().unwrap_or_default();
    let kept: Vec<usize> = (0..matches.len())
        .filter(|at| is_whole(&matches[*at]))
        .collect();
    let of = |list: &[Value]| -> Vec<Value> {
        kept.iter()
            .filter_map(|at| list.get(*at).cloned())
            .collect()
    };
    json!({
        "status": "ok",
        "matches": of(&matches),
        "cursor_start": start,
        "cursor_end": end,
        "metadata": {"_jupyter_types_experimental": of(&types)},
    })
}

/// The same code point, or another if it could join its neighbors: letters that are alone are kept,
/// since a name may contain them.
fn single(next: char) -> char {
    match next {
        '\r' => ' ',
        '\u{c0}'..='\u{24f}'
        | '\u{370}'..='\u{3ff}'
        | '\u{400}'..='\u{482}'
        | '\u{48a}'..='\u{52f}'
        | '\u{4e00}'..='\u{9fff}' => next,
        _ if next.is_ascii() => next,
        _ => '_',
    }
}

/// The position of a name: the one at this position, or that of the function whose arguments are here.
fn named(code: &str, position: usize) -> usize {
    let offset = |position: usize| {
        let found = code.char_indices().nth(position);
        found.map_or(code.len(), |(offset, _)| offset)
    };
    let at = offset(position);
    let is_of_name = |next: char| next.is_alphanumeric() || next == '_';
    if code[..at].ends_with(is_of_name) || code[at..].starts_with(is_of_name) {
        return position;
    }
    let mut open = Vec::new();
    let mut last = None;
    for token in tokens(&code[..at]) {
        match token.kind {
            Kind::Open => open.push(last.take().filter(|_| token.text == "(")),
            Kind::Close => drop(open.pop()),
            Kind::Word => last = Some(token.end()),
            Kind::Space | Kind::Comment => {}
            _ => last = None,
        }
    }
    let function = open.into_iter().next_back().flatten();
    function.map_or(position, |end| code[..end].chars().count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn evcxr_is_given_single_characters_and_a_position_among_them() {
        let asked = json!({"code": "e\u{301} größe 👩‍👩‍👧 ab.\r\n", "cursor_pos": 99});
        let given = for_evcxr("complete_request", &asked);
        assert_eq!(given["code"], "e_ größe _____ ab. \n");
        assert_eq!(given["cursor_pos"], 20);
    }

    #[test]
    fn the_arguments_of_a_function_are_inspected_as_the_function() {
        let at =
            |code: &str| for_evcxr("inspect_request", &json!({"code": code}))["cursor_pos"].clone();
        assert_eq!(at("f(g(1), "), 1);
        assert_eq!(at("a.push("), 6);
        assert_eq!(at("a.push(x"), 8);
        assert_eq!(at("let x = [ "), 10);
    }

    #[test]
    fn a_completion_removes_nothing_but_the_name_that_it_completes() {
        let content = json!({"code": "f(\"x\").le", "cursor_pos": 9});
        let reply = |start: u64, end: u64| {
            let evcxr = json!({"status": "ok", "cursor_start": start, "cursor_end": end, "matches": ["len()", "if {\n}", "$0"], "metadata": {}});
            answer("complete_request", &content, evcxr)
        };
        assert_eq!(reply(7, 9)["matches"], json!(["len()"]));
        for (start, end) in [(5, 9), (0, 9), (9, 40), (2, 3)] {
            let reply = reply(start, end);
            assert_eq!(
                (&reply["matches"], &reply["cursor_start"]),
                (&json!([]), &json!(9))
            );
        }
        let failed = answer("complete_request", &content, json!({"status": "error"}));
        assert_eq!(
            (&failed["status"], &failed["matches"]),
            (&json!("ok"), &json!([]))
        );
    }

    proptest! {
        #[test]
        fn any_position_of_any_text_has_one(code: String, cursor_pos in 0_u64..300) {
            for kind in ["complete_request", "inspect_request"] {
                let content = json!({"code": code, "cursor_pos": cursor_pos});
                let given = for_evcxr(kind, &content);
                let length = code.chars().count();
                prop_assert_eq!(given["code"].as_str().unwrap().chars().count(), length);
                prop_assert!(given["cursor_pos"].as_u64().unwrap() <= length as u64);
            }
        }
    }
}
