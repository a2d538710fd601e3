//! A name server on loopback that knows one domain: everything below it is 127.0.0.1.
//!
//! Must never answer for anything else, nor listen anywhere but on loopback.

use tokio::net::UdpSocket;

/// Where it listens. Another address of loopback than those that systems use for name servers of their own.
pub const ADDRESS: &str = "127.77.7.53";
/// What it knows.
pub const DOMAIN: &str = "image.test";

/// Starts it; it ends with the process.
pub async fn serve() {
    let socket = UdpSocket::bind((ADDRESS, 53)).await.expect("port 53 of a loopback address: run as root");
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
            let _ = socket.send_to(&answer(&buffer[..length]), client).await;
        }
    });
}

/// The answer to a query with one question.
fn answer(query: &[u8]) -> Vec<u8> {
    let mut labels = Vec::new();
    let mut at = 12;
    while query[at] != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    let question = &query[12..at + 5];
    let known = labels.join(".").ends_with(DOMAIN);
    let wants_ipv4 = query[at + 1..at + 3] == [0, 1];
    let mut reply = query[..2].to_vec();
    // An answer, with recursion; 3 is "no such name".
    reply.extend([0x81, if known { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(known && wants_ipv4), 0, 0, 0, 0]);
    reply.extend(question);
    if known && wants_ipv4 {
        // The name of the question, an address, one minute.
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    reply
}
