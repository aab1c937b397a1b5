//! Entry points of the fuzz targets; ordinary tests replay their corpora.

use crate::forwarded::Headers;
use crate::protocol::{self, BYTES_MAX, Start};

/// The first bytes of a connection.
pub fn protocol(data: &[u8]) {
    let data = data.get(..BYTES_MAX).unwrap_or(data);
    let Ok(Start::Header(header)) = protocol::start(data) else {
        return;
    };
    assert!(header.len <= data.len());
    let alone = data.get(..header.len).expect("it is within the data");
    assert_eq!(
        protocol::start(alone),
        Ok(Start::Header(header)),
        "what follows changes nothing"
    );
}

/// Header lines, each with the letter of its name before it.
pub fn forwarded(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut headers = Headers::default();
    for line in text.lines() {
        match line.split_at_checked(1) {
            Some(("f", value)) => headers.forwarded.push(value),
            Some(("a", value)) => headers.x_for.push(value),
            Some(("p", value)) => headers.x_proto.push(value),
            Some(("h", value)) => headers.x_host.push(value),
            _ => {}
        }
    }
    let viewer = "203.0.113.9".parse().expect("an address");
    headers.said(|_| true);
    headers.said(|_| false);
    // Whatever a viewer sends, its proxy's own line is what counts.
    if headers.forwarded.is_empty() {
        headers.x_for.push("203.0.113.9");
    } else {
        headers.forwarded.push("for=203.0.113.9");
    }
    assert_eq!(headers.said(|_| false).address, Some(viewer));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_corpora_pass() {
        let corpora = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        let targets = [
            ("proxy_protocol", super::protocol as fn(&[u8])),
            ("proxy_forwarded", super::forwarded),
        ];
        for (name, target) in targets {
            for input in std::fs::read_dir(corpora.join(name)).unwrap() {
                target(&std::fs::read(input.unwrap().path()).unwrap());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn headers_of_any_form_do_no_harm(text in "[fap][ -~]{0,60}(\n[faph][ -~]{0,60}){0,3}") {
            super::forwarded(text.as_bytes());
        }

        #[test]
        fn beginnings_of_any_form_do_no_harm(tail in proptest::collection::vec(0_u8.., 0..64)) {
            super::protocol(&[b"\r\n\r\n\0\r\nQUIT\n!", &tail[..]].concat());
            super::protocol(&[b"PROXY TCP4 ", &tail[..]].concat());
        }
    }
}
