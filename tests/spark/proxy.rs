//! A proxy that cuts connections.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes bytes on between its clients and the server. Each connection has a budget of bytes from
/// the server, after which it is cut; once the budgets are used up, connections last.
pub(super) struct Proxy {
    pub(super) port: u16,
    budgets: Arc<Mutex<VecDeque<usize>>>,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let budgets = Arc::new(Mutex::new(VecDeque::new()));
        let cuts = Arc::new(AtomicUsize::new(0));
        let (shared, counted) = (budgets.clone(), cuts.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                pass_on(client, server, shared.clone(), counted.clone());
            }
        });
        Self {
            port,
            budgets,
            cuts,
        }
    }

    /// Cuts the present and the next connections after so many bytes more.
    pub(super) fn cut_after(&self, budgets: impl IntoIterator<Item = usize>) {
        self.budgets.lock().unwrap().extend(budgets);
    }

    /// How many connections were cut.
    pub(super) fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

fn pass_on(
    client: TcpStream,
    server: TcpStream,
    budgets: Arc<Mutex<VecDeque<usize>>>,
    cuts: Arc<AtomicUsize>,
) {
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_client) = (server, client);
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        let mut budget = None;
        while let Ok(count @ 1..) = from_server.read(&mut buffer) {
            // A connection takes its budget when the server next sends something.
            budget = budget.or_else(|| budgets.lock().unwrap().pop_front());
            let passed = budget.unwrap_or(usize::MAX).min(count);
            if to_client.write_all(&buffer[..passed]).is_err() {
                break;
            }
            if let Some(left) = &mut budget {
                *left -= passed;
                if passed < count {
                    cuts.fetch_add(1, Ordering::SeqCst);
                    break;
                }
            }
        }
        let _ = from_server.shutdown(Shutdown::Both);
        let _ = to_client.shutdown(Shutdown::Both);
    });
}
