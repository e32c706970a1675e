//! A request ends: what is still to be shown of it, its answer, and what follows for those behind it.

use super::{EventLoop, Input};
use crate::jupyter::Message;
use crate::kernel::FORMATS;
use crate::kernel::sideband::Stream;
use crate::kernel::sideband::pipes::INPUT;
use crate::kernel::wrapper::error::CellError;
use crate::terminal::err;

impl EventLoop {
    /// Answers a request that evcxr cannot process.
    pub(super) fn fail(&mut self, request: &Message, error: &CellError, count: u64) {
        self.front.fail(request, error, count);
        if request.kind() == "execute_request" {
            self.abort();
        }
    }

    /// Ends the current request.
    pub(super) fn finish(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        self.input = Input::Nobody;
        // The stop was for this cell only. An error means that there was no such file.
        let _ = std::fs::remove_file(&self.shared.stop_file);
        let _ = std::fs::remove_file(self.shared.streams.join(INPUT));
        let is_lost = running
            .cell
            .as_ref()
            .is_some_and(|cell| cell.has_lost_variables());
        if is_lost {
            self.cells.lost();
            for (at, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
                let left = self.readers[at].release();
                self.parts_of(&mut running, stream, left);
            }
        }
        if running.hidden {
            return;
        }
        let request = running.request.clone();
        let stops = request.content["stop_on_error"] != false;
        let count = running.cell.as_ref().map(|cell| cell.count);
        let (out, answer) = running.finish(&self.cells);
        match count {
            Some(count) if answer["status"] == "ok" => {
                self.cells.succeeded(count, &self.shared.build);
                self.note_formats(&request);
            }
            Some(_) => self.cells.failed(&self.shared.build),
            None => {}
        }
        self.front.show(out);
        self.front.flush();
        if count.is_some() {
            self.front.late = request.header.clone();
        }
        self.front.answer(&request, &answer);
        let stopped = std::mem::take(&mut self.stopped);
        if answer["status"] == "error" && request.kind() == "execute_request" && stops {
            self.abort();
        } else {
            self.abort_first(stopped);
        }
    }

    /// Notes that the reader chose how evcxr formats values.
    pub(super) fn note_formats(&mut self, request: &Message) {
        let code = request.content["code"].as_str().unwrap_or_default();
        let clears = |line: &str| line.starts_with(":clear");
        if code.lines().map(str::trim_start).any(clears) {
            self.waits = false;
            self.cells.lost();
        }
        let chooses = |line: &str| [":fmt", ":types"].iter().any(|word| line.starts_with(word));
        if code.lines().map(str::trim_start).any(chooses)
            && let Err(error) = std::fs::write(self.shared.build.join(FORMATS), "")
        {
            err!("values keep their format: {error}");
        }
    }

    /// Answers all waiting cells without running them, as the protocol requires after a failure.
    pub(super) fn abort(&mut self) {
        self.abort_first(self.queue.len());
    }

    /// The same for the cells among the first `requests` waiting requests.
    pub(super) fn abort_first(&mut self, requests: usize) {
        let behind = self.queue.split_off(requests.min(self.queue.len()));
        let (cells, others) = std::mem::replace(&mut self.queue, behind)
            .into_iter()
            .partition::<Vec<_>, _>(|request| request.kind() == "execute_request");
        for other in others.into_iter().rev() {
            self.queue.push_front(other);
        }
        for cell in cells {
            self.front.abort(&cell);
        }
    }
}
