//! The responses of the servers on loopback, as Azure OpenAI sends them.

use std::time::Duration;

use crate::loopback::{Loopback, Reply};

/// A server that answers after this delay, or immediately if it is zero.
pub(crate) fn answering(after: Duration) -> Loopback {
    let reply = response(200, &[], ANSWER);
    Loopback::serve(move |_| match after.is_zero() {
        true => reply.clone(),
        false => reply.clone().late(after),
    })
}

/// A complete response with these headers.
pub(crate) fn response(status: u16, headers: &[(String, String)], body: &str) -> Reply {
    let id = ("x-request-id", "5b1c3d52-0f4e-4f7e-9d43-6f6ad1d6c9e0");
    let headers = headers.iter().map(|(name, value)| (&**name, &**value));
    let reply = Reply::new(status, "application/json", body);
    let add = |reply: Reply, (name, value)| reply.header(name, value);
    headers.chain([id]).fold(reply, add).kept()
}

/// An answer in Azure OpenAI's format, of the length that the lab's prompts get.
pub(crate) const ANSWER: &str = r#"{"id":"chatcmpl-9fK2mQ7rT1","object":"chat.completion","created":1721000000,"model":"gpt-4o-mini","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}],"choices":[{"index":0,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"A nurse is a trained professional who cares for people when they are ill, hurt or recovering. The work takes knowledge, patience and a clear head, since much depends on noticing early what changes. Nurses work in hospitals, practices and homes, often at night, and speak for those who can't."},"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}],"usage":{"prompt_tokens":24,"completion_tokens":62,"total_tokens":86},"system_fingerprint":"fp_80a1bad4c7"}"#;
