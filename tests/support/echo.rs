//! A service that answers each prompt with itself, unless the prompt asks for something else.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// The service. A prompt may begin with words that it obeys:
/// `wait N` takes N milliseconds, `filter` is filtered, `status N` fails for good.
pub(crate) struct Echo {
    url: String,
    counts: Arc<Counts>,
    _stop: oneshot::Sender<()>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

/// Serves on a free port of this machine until the sender is dropped.
pub(super) fn on_loopback(router: Router) -> (String, oneshot::Sender<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let (sender, address) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            tokio::select! {
                served = axum::serve(listener, router) => served.unwrap(),
                _ = stopped => {}
            }
        });
    });
    (format!("http://{}", address.recv().unwrap()), stop)
}

impl Echo {
    pub(crate) fn start() -> Self {
        let counts = Arc::new(Counts::default());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&counts));
        let (url, stop) = on_loopback(router);
        Self {
            url,
            counts,
            _stop: stop,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn client(&self) -> evenhand::Client {
        evenhand::Client::builder()
            .endpoint(&self.url)
            .api_key("key")
            .deployment("echo")
            .build()
            .unwrap()
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn most_under_way(&self) -> usize {
        self.counts.most_under_way.load(Ordering::SeqCst)
    }
}

async fn answer(State(counts): State<Arc<Counts>>, Json(request): Json<Value>) -> Response {
    counts.requests.fetch_add(1, Ordering::SeqCst);
    let under_way = counts.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    counts.most_under_way.fetch_max(under_way, Ordering::SeqCst);
    let reply = obey(&request).await;
    counts.under_way.fetch_sub(1, Ordering::SeqCst);
    reply
}

async fn obey(request: &Value) -> Response {
    let messages = request["messages"].as_array().unwrap();
    let prompt = messages.last().unwrap()["content"].as_str().unwrap();
    let mut words = prompt.split(' ');
    let (order, number) = (
        words.next(),
        words.next().and_then(|word| word.parse().ok()),
    );
    match (order, number) {
        (Some("status"), Some(status)) => refusal(u16::try_from(status).unwrap(), "failed"),
        (Some("filter"), _) => refusal(400, "content_filter"),
        (order, number) => {
            if let (Some("wait"), Some(milliseconds)) = (order, number) {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            }
            Json(json!({
                "id": "1", "model": "echo", "object": "chat.completion", "created": 1,
                "choices": [{
                    "index": 0, "finish_reason": "stop",
                    "message": {"role": "assistant", "content": format!("{} messages: {prompt}", messages.len())},
                }],
                "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5},
            }))
            .into_response()
        }
    }
}

fn refusal(status: u16, code: &str) -> Response {
    let body = json!({"error": {"code": code, "message": "as you asked"}});
    let retry = [("x-should-retry", "false")];
    (StatusCode::from_u16(status).unwrap(), retry, Json(body)).into_response()
}
