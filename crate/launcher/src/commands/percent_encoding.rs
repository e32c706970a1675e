//! Percent-encoding of names in addresses (RFC 3986, 2.1).

/// The text as a part of an address: letters, digits, `-._~` and the bytes in `kept` as they are, all others
/// as `%XX`.
pub fn percent_encoded(text: &[u8], kept: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text {
        let stays = byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || kept.contains(byte);
        match stays {
            true => encoded.push(char::from(*byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
