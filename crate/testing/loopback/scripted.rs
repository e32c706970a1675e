//! A server that answers according to a script, and keeps the requests that it receives.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::net::TcpStream;

use super::{Connection, Loopback, Reply, Request};

/// The server; it stops when it is dropped.
pub(crate) struct Server {
    loopback: Loopback,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers the first request with the first reply and so on. The last reply is used for all
    /// further requests. Without any reply, it closes the connection.
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::over(replies, |stream| ready(Some(stream)))
    }

    /// The same over the connection that `wrap` returns for each TCP stream, if it succeeds.
    pub(crate) fn over<C, F>(
        replies: impl IntoIterator<Item = Reply>,
        wrap: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        C: Connection,
        F: Future<Output = Option<C>> + Send,
    {
        let replies: Vec<Reply> = replies.into_iter().collect();
        let script = move |_: &Request, before: usize| {
            let reply = replies.get(before).or(replies.last()).cloned();
            reply.unwrap_or(Reply::Bytes(Vec::new()))
        };
        Self::start(script, wrap)
    }

    /// Answers each request with the script's reply. The script also gets the number of requests
    /// before it.
    pub(crate) fn answering(
        script: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(script, |stream| ready(Some(stream)))
    }

    /// Answers each request with the script's reply. The script gets the prompt, and the number of
    /// earlier requests with the same prompt.
    pub(crate) fn by_prompt(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let times: Mutex<HashMap<String, usize>> = Mutex::default();
        Self::answering(move |request, _| {
            let prompt = request.prompt();
            let mut times = times.lock().unwrap();
            let time = times.entry(prompt.clone()).or_default();
            *time += 1;
            script(&prompt, *time - 1)
        })
    }

    fn start<C, F>(
        script: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        C: Connection,
        F: Future<Output = Option<C>> + Send,
    {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let service = move |request| {
            let mut seen = seen.lock().unwrap();
            let reply = script(&request, seen.len());
            seen.push(request);
            reply
        };
        Self {
            loopback: Loopback::serve_over(service, wrap),
            requests,
        }
    }

    /// The address, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        self.loopback.url()
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.loopback.port()
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The bodies of the requests so far.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.requests().iter().map(Request::json).collect()
    }

    /// The only request so far.
    pub(crate) fn request(&self) -> Request {
        let [request] = &self.requests()[..] else {
            panic!("not one request: {:?}", self.requests())
        };
        request.clone()
    }
}
