//! A stand-in for the service's Batch API, according to its documentation: files, batches, answers
//! in a different order than the questions, and on request everything that may go wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::server::{Loopback, Reply, Request, last_message};

/// The service. A prompt may begin with a command: `refuse` is blocked by the content filter, and
/// `forget` gets no line in the output.
pub(crate) struct BatchApi {
    loopback: Loopback,
    world: Arc<Mutex<World>>,
}

/// The service's data and behavior.
pub(crate) struct World {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) batches: Vec<Batch>,
    /// Method and path of every call, with the query.
    pub(crate) calls: Vec<String>,
    /// What goes wrong with the call of this number, counted from 0.
    pub(crate) faults: BTreeMap<usize, Fault>,
    /// How each batch ends.
    pub(crate) end: &'static str,
    /// Why batches fail, code and message.
    pub(crate) reason: Option<(&'static str, &'static str)>,
    /// How often a batch must be checked before it is finished.
    pub(crate) looks: usize,
    /// Additional lines at the end of the output.
    pub(crate) extra: String,
    /// How long it asks to wait, in milliseconds.
    pub(crate) wait: &'static str,
    /// What the service sends back in every text of a line and of a batch.
    pub(crate) echo: Option<&'static str>,
    next: usize,
}

#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) input: String,
    pub(crate) request: Value,
    status: String,
    looks: usize,
    output: Option<String>,
    errors: Option<String>,
}

/// What may go wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// It is refused with this status, and nothing is done.
    Status(u16),
    /// It is done, and the connection breaks before the answer is out.
    Lost,
    /// It is done, and no answer ever comes.
    Silence,
    /// Nothing is done, and no answer ever comes.
    Deaf,
    /// Half of the answer comes.
    Cut,
}

impl BatchApi {
    pub(crate) fn start() -> Self {
        let world = Arc::new(Mutex::new(World {
            files: BTreeMap::new(),
            batches: Vec::new(),
            calls: Vec::new(),
            faults: BTreeMap::new(),
            end: "completed",
            reason: None,
            looks: 2,
            extra: String::new(),
            wait: "3",
            echo: None,
            next: 0,
        }));
        let served = Arc::clone(&world);
        let loopback = Loopback::serve(move |request| serve(&request, &served));
        Self { loopback, world }
    }

    pub(crate) fn url(&self) -> String {
        self.loopback.url()
    }

    pub(crate) fn client(&self) -> evenhand::Client {
        evenhand::Client::builder()
            .endpoint(self.url())
            .api_key("very-secret-key")
            .deployment("nurses-batch")
            .build()
            .unwrap()
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl World {
    /// How many calls with this method and path were received.
    pub(crate) fn count(&self, call: &str) -> usize {
        self.calls
            .iter()
            .filter(|one| one.starts_with(call))
            .count()
    }

    fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}-{}", self.next)
    }

    fn act(&mut self, method: &str, path: &[&str], body: &[u8]) -> (u16, Vec<u8>) {
        let found = |value: Value| (200, value.to_string().into_bytes());
        let missing = || {
            (
                404,
                json!({"error": {"code": "NotFound", "message": "no such thing"}})
                    .to_string()
                    .into_bytes(),
            )
        };
        match (method, path) {
            ("POST", ["files"]) => {
                let id = self.id("file");
                self.files.insert(id.clone(), file_in_form(body));
                found(json!({"id": id, "object": "file", "purpose": "batch", "status": "pending"}))
            }
            ("GET", ["files", id]) if self.files.contains_key(*id) => {
                found(json!({"id": id, "object": "file", "status": "processed"}))
            }
            ("GET", ["files", id, "content"]) => match self.files.get(*id) {
                Some(content) => (200, content.clone()),
                None => missing(),
            },
            ("DELETE", ["files", id]) => match self.files.remove(*id) {
                Some(_) => found(json!({"id": id, "deleted": true})),
                None => missing(),
            },
            ("POST", ["batches"]) => {
                let request: Value = serde_json::from_slice(body).unwrap();
                let batch = Batch {
                    id: self.id("batch"),
                    input: request["input_file_id"].as_str().unwrap().to_owned(),
                    request,
                    status: "validating".to_owned(),
                    looks: 0,
                    output: None,
                    errors: None,
                };
                self.batches.push(batch.clone());
                found(self.object(&batch))
            }
            ("GET", ["batches"]) => {
                let data: Vec<_> = self
                    .batches
                    .iter()
                    .rev()
                    .map(|batch| self.object(batch))
                    .collect();
                found(json!({"object": "list", "data": data, "has_more": false}))
            }
            ("GET", ["batches", id]) => match self.batches.iter().position(|batch| batch.id == *id)
            {
                Some(place) => {
                    self.go_on(place);
                    found(self.object(&self.batches[place].clone()))
                }
                None => missing(),
            },
            ("POST", ["batches", id, "cancel"]) => {
                match self.batches.iter().position(|batch| batch.id == *id) {
                    Some(place) => {
                        self.finish(place, "cancelled");
                        found(self.object(&self.batches[place].clone()))
                    }
                    None => missing(),
                }
            }
            ("POST", ["chat", "completions"]) => {
                let request: Value = serde_json::from_slice(body).unwrap();
                let (status, body) = answer(&last_message(&request));
                (status, body.to_string().into_bytes())
            }
            _ => missing(),
        }
    }

    fn go_on(&mut self, place: usize) {
        let looks = self.looks;
        let batch = &mut self.batches[place];
        if batch.status == "validating" || batch.status == "in_progress" {
            batch.looks += 1;
            batch.status = "in_progress".to_owned();
            if batch.looks > looks {
                let end = self.end;
                self.finish(place, end);
            }
        }
    }

    fn finish(&mut self, place: usize, end: &str) {
        self.batches[place].status = end.to_owned();
        if end == "failed" {
            return;
        }
        let input = self.files[&self.batches[place].input].clone();
        let mut rows = prompts(&input);
        rows.reverse();
        if end != "completed" {
            // The first half was answered in time.
            rows.drain(..rows.len().div_ceil(2));
        }
        let echo = self.echo;
        let line = |(id, prompt): &(String, String)| {
            let line = answer_line(id, prompt);
            match echo {
                Some(echo) => line
                    .replace("\"r\"", &format!("\"r {echo}\""))
                    .replace("you said", &format!("you said {echo}"))
                    .replace("\"filtered\"", &format!("\"filtered {echo}\"")),
                None => line,
            }
        };
        let refused = |(_, prompt): &&(String, String)| prompt.starts_with("refuse");
        let known = rows
            .iter()
            .filter(|(_, prompt)| !prompt.starts_with("forget"));
        let output: String = known
            .clone()
            .filter(|row| !refused(row))
            .map(line)
            .collect();
        let errors: String = known.filter(refused).map(line).collect();
        let output = output + &self.extra;
        let (output_id, errors_id) = (self.id("file"), self.id("file"));
        self.files.insert(output_id.clone(), output.into_bytes());
        self.files.insert(errors_id.clone(), errors.into_bytes());
        self.batches[place].output = Some(output_id);
        self.batches[place].errors = Some(errors_id);
    }

    fn object(&self, batch: &Batch) -> Value {
        let errors = self.reason.filter(|_| batch.status == "failed").map(|(code, message)| {
            json!({"object": "list", "data": [{"code": code, "message": message, "line": 1}]})
        });
        let lines = |id: &Option<String>| {
            let file = id.as_ref().and_then(|id| self.files.get(id));
            file.map(|file| {
                file.split(|byte| *byte == b'\n')
                    .filter(|line| !line.is_empty())
                    .count()
            })
        };
        json!({
            "id": batch.id, "object": "batch", "endpoint": null, "completion_window": "24h",
            "status": batch.status, "input_file_id": batch.input, "output_file_id": batch.output,
            "error_file_id": batch.errors, "errors": errors, "metadata": null,
            "created_at": "2024-07-19T17:33:29.1619286+00:00",
            "request_counts": {"total": lines(&Some(batch.input.clone())),
                "completed": lines(&batch.output), "failed": lines(&batch.errors)},
        })
    }
}

fn serve(request: &Request, world: &Mutex<World>) -> Reply {
    let key = request.header("api-key") == ["very-secret-key"];
    let token = request.header("authorization") == ["Bearer very-secret-key"];
    if !key && !token {
        return Reply::new(401, "text/plain", "").kept();
    }
    let target = &request.target;
    let path = target.split_once('?').map_or(&**target, |(path, _)| path);
    let path: Vec<_> = path
        .split('/')
        .filter(|part| !part.is_empty() && !matches!(*part, "openai" | "v1"))
        .collect();
    let mut world = world.lock().unwrap();
    let wait = world.wait;
    let fault = world.faults.get(&world.calls.len()).copied();
    world.calls.push(format!("{} {target}", request.method));
    let (status, content) = match fault {
        Some(Fault::Deaf) => return Reply::Silence,
        Some(Fault::Status(status)) => {
            let error = json!({"error": {"code": "oops", "message": "not now"}});
            (status, error.to_string().into_bytes())
        }
        _ => world.act(&request.method, &path, &request.body),
    };
    let half = content.len().div_ceil(2);
    let reply = Reply::new(status, "application/octet-stream", content);
    let reply = reply.header("retry-after-ms", wait);
    match fault {
        Some(Fault::Silence) => Reply::Silence,
        Some(Fault::Lost) => Reply::Broken(Vec::new()),
        Some(Fault::Cut) => Reply::Broken(reply.cut(half).bytes()),
        _ => reply.kept(),
    }
}

/// The names and prompts in a file of requests.
fn prompts(file: &[u8]) -> Vec<(String, String)> {
    let lines = std::str::from_utf8(file).unwrap().lines();
    let row = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["method"], "POST");
        let name = line["custom_id"].as_str().unwrap();
        (name.to_owned(), last_message(&line["body"]))
    };
    lines.map(row).collect()
}

pub(crate) fn answer_line(id: &str, prompt: &str) -> String {
    let (status, body) = answer(prompt);
    let line = json!({"custom_id": id, "error": null,
        "response": {"status_code": status, "request_id": "r", "body": body}});
    format!("{line}\n")
}

fn answer(prompt: &str) -> (u16, Value) {
    if prompt.starts_with("refuse") {
        (
            400,
            json!({"error": {"code": "content_filter", "message": "filtered", "innererror":
            {"content_filter_result": {"hate": {"filtered": true, "severity": "high"}}}}}),
        )
    } else {
        (
            200,
            json!({"id": "c", "model": "m", "object": "chat.completion", "created": 1, "choices": [
            {"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": format!("you said: {prompt}")}}],
            "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}}),
        )
    }
}

/// The file in a form, whose other field says what it is for.
fn file_in_form(form: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(form.to_vec()).unwrap();
    let boundary = text.lines().next().unwrap();
    let parts: Vec<_> = text.split(boundary).collect();
    let [_, purpose, file, end] = parts[..] else {
        panic!("not two fields: {text}")
    };
    assert!(purpose.contains("name=\"purpose\"") && purpose.ends_with("\r\n\r\nbatch\r\n"));
    assert!(file.contains("name=\"file\"; filename="));
    assert_eq!(end, "--\r\n");
    let (_, content) = file.split_once("\r\n\r\n").unwrap();
    content.strip_suffix("\r\n").unwrap().as_bytes().to_vec()
}
