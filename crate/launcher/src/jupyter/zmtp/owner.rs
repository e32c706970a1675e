//! Which user owns the process at the other end of a connection.
//!
//! A Unix socket reports this itself. For TCP, the operating system's table of connections lists
//! both ends of each connection on this machine with their users. It is read before a connection
//! is answered, so that a peer that follows the protocol is still connected. A closed end has no
//! user any more, and must not be mistaken for root's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpStream;

/// The operating system's tables.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// The state of an established connection.
const ESTABLISHED: &str = "01";

/// Whether a process of this user may connect to one of ours. Root may: it has access to everything
/// anyway.
pub fn may_speak(user: u32) -> bool {
    user == 0 || user == rustix::process::geteuid().as_raw()
}

/// The connections that are from this user's processes or from another machine. The users of
/// another machine are unknown, and a kernel that listens to other machines does so on purpose.
pub async fn of_this_user(streams: Vec<(TcpStream, SocketAddr)>) -> Vec<TcpStream> {
    let tables = tokio::task::spawn_blocking(|| {
        let tables = TABLES.map(|table| std::fs::read_to_string(table).ok());
        tables.into_iter().flatten().collect::<Vec<_>>()
    });
    let tables = tables.await.unwrap_or_default();
    let is_ours = |(stream, peer): &(TcpStream, SocketAddr)| {
        // On systems without such tables, only the key protects.
        tables.is_empty()
            || stream
                .local_addr()
                .is_ok_and(|own| decide(&tables, plain(*peer), plain(own)))
    };
    streams
        .into_iter()
        .filter(is_ours)
        .map(|(stream, _)| stream)
        .collect()
}

fn decide(tables: &[String], peer: SocketAddr, own: SocketAddr) -> bool {
    let user = tables.iter().find_map(|table| user_of(table, peer, own));
    user.map_or(!peer.ip().is_loopback(), may_speak)
}

/// The user of the connection from here to there.
fn user_of(table: &str, from: SocketAddr, to: SocketAddr) -> Option<u32> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let ends = [fields.next()?, fields.next()?];
        // Most lines are about other connections, which their ports show quickly.
        if port(ends[0])? != from.port() || port(ends[1])? != to.port() {
            return None;
        }
        let fits = address(ends[0])? == from.ip()
            && address(ends[1])? == to.ip()
            && fields.next()? == ESTABLISHED;
        fits.then(|| fields.nth(3)?.parse().ok()).flatten()
    })
}

fn port(end: &str) -> Option<u16> {
    let (_, port) = end.split_once(':')?;
    u16::from_str_radix(port, 16).ok()
}

/// Parses an address of the table: words in the machine's byte order.
fn address(end: &str) -> Option<IpAddr> {
    let (hex, _) = end.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(hex.get(8 * at..8 * at + 8)?, 16).ok();
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?.to_ne_bytes()).into()),
        32 => {
            let mut bytes = [0; 16];
            for at in 0..4 {
                bytes[4 * at..4 * at + 4].copy_from_slice(&word(at)?.to_ne_bytes());
            }
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

/// Converts an IPv4-mapped IPv6 address to IPv4.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     7        0 1 1
   1: 0100007F:B01A 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0 3
   2: 0100007F:B01C 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 65534        0 2 1
   3: 0000000000000000FFFF00000100007F:B01E 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 3 1
";

    fn user(port: u16) -> Option<u32> {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        user_of(TABLE, at(port), at(8080))
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_table_names_the_user_of_a_connection_that_stands() {
        assert_eq!(user(0xB01C), Some(65_534));
        assert_eq!(user(0xB01E), Some(1000), "IPv4 in IPv6");
        assert_eq!(user(0xB01A), None, "an end that is gone is not root's");
        assert_eq!(user(1), None);
    }

    #[test]
    fn who_is_not_in_the_table_is_let_in_from_other_machines_alone() {
        let own = SocketAddr::from(([127, 0, 0, 1], 8080));
        let tables = [TABLE.to_owned()];
        assert!(!decide(&tables, SocketAddr::from(([127, 0, 0, 1], 9)), own));
        assert!(decide(&tables, SocketAddr::from(([10, 0, 0, 1], 9)), own));
        assert!(!decide(
            &tables,
            SocketAddr::from(([127, 0, 0, 1], 0xB01C)),
            own
        ));
    }

    #[tokio::test]
    async fn a_connection_of_ones_own_is_ones_own() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _held = TcpStream::connect(listener.local_addr().unwrap()).await;
        let accepted = listener.accept().await.unwrap();
        assert_eq!(of_this_user(vec![accepted]).await.len(), 1);
    }

    proptest! {
        #[test]
        fn any_table_has_an_answer(table in "[0-9A-F: \né]{0,200}", text: String) {
            for table in [table, text] {
                let at = SocketAddr::from(([127, 0, 0, 1], 80));
                let _ = user_of(&format!("\n{table}"), at, at);
                let _ = address(&table);
            }
        }
    }
}
