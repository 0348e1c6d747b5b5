//! HTTP/2, frame by frame: one request on one connection, without a library that would correct it.

use std::io::{Read, Write};
use std::net::SocketAddr;

use super::wire::connect;

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// Sends a request made of exactly these fields; the status, or `None` if the stream or connection was reset.
pub fn exchange(address: SocketAddr, fields: &[(&str, &str)]) -> Option<u16> {
    let mut block = Vec::new();
    for (name, value) in fields {
        // A literal field without indexing and without Huffman coding.
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127, "a longer text would need a longer prefix");
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    let mut stream = connect(address);
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    // END_HEADERS and END_STREAM.
    bytes.extend(frame(HEADERS, 5, 1, &block));
    stream.write_all(&bytes).unwrap();
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return None;
        }
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).unwrap();
        match head[3] {
            HEADERS => return Some(status(&payload)),
            RST_STREAM | GOAWAY => return None,
            _ => {}
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![0, length[0], length[1], kind, flags, 0, 0, 0, stream];
    bytes.extend_from_slice(payload);
    bytes
}

/// The first field of a response is its status: an entry of the static table, or a literal of three digits.
fn status(mut block: &[u8]) -> u16 {
    while block[0] & 0xE0 == 0x20 {
        block = &block[1..];
    }
    if block[0] & 0x80 != 0 {
        return [200, 204, 206, 304, 400, 404, 500][usize::from(block[0] & 0x7F) - 8];
    }
    let length = usize::from(block[1] & 0x7F);
    let text = &block[2..2 + length];
    if block[1] & 0x80 == 0 {
        return std::str::from_utf8(text).unwrap().parse().unwrap();
    }
    // Huffman coding: `0`, `1` and `2` have five bits, the other digits six.
    let mut bits = text.iter().flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)));
    let mut take = |count: usize| bits.by_ref().take(count).fold(0, |sum, bit| sum << 1 | bit);
    let mut status = 0;
    for _ in 0..3 {
        let five = take(5);
        let digit = if five <= 2 { five } else { (five << 1 | take(1)) - 0x19 + 3 };
        status = status * 10 + digit;
    }
    status
}
