//! The prompts in the file of requests next to a journal.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use serde_json::Value;

use super::requests_path;
use super::scan::Lines;
use crate::batch::format::{self, RequestLine};

/// The prompt of each request, by its `custom_id`: the text of its last message. Empty if there is no
/// such file; lines that are not requests are left out.
pub(crate) fn prompts(journal: &Path) -> HashMap<String, String> {
    let mut prompts = HashMap::new();
    let Ok(file) = File::open(requests_path(journal)) else {
        return prompts;
    };
    let mut lines = Lines::new(file);
    while let Ok(Some(line)) = lines.next() {
        let request = line
            .text
            .and_then(|text| format::parse::<RequestLine>(text).ok());
        let prompt = request
            .as_ref()
            .and_then(|request| last_text(&request.body));
        if let (Some(prompt), Some(request)) = (prompt, &request) {
            prompts.insert(request.custom_id.clone(), prompt);
        }
    }
    prompts
}

fn last_text(body: &Value) -> Option<String> {
    let last = body["messages"].as_array()?.last()?;
    last["content"].as_str().map(str::to_owned)
}
