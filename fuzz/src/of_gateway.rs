//! What is fuzzed of the gateway and of the command line: bodies by their content types, and files.

use std::io::Cursor;

use bytes::Bytes;
use parom_gateway::intake::{decode, sniff};

use super::files::{Asked, Reader};

/// Its name, and what it does with any bytes.
type Named = (&'static str, fn(&[u8]));

/// Every target by its name, which is its corpus' too.
pub(crate) const TARGETS: &[Named] =
    &[("multipart", multipart), ("sniff", any_body), ("csv", csv), ("xlsx", xlsx), ("ndjson", ndjson)];

/// Rows that are looked at of one file.
const ROWS: usize = 2_000;

fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    Some(tokio::runtime::Builder::new_current_thread().build().ok()?.block_on(future))
}

/// A content type, a line end, a body.
fn multipart(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let kind = String::from_utf8_lossy(&bytes[..at]);
    let body = Bytes::copy_from_slice(bytes.get(at + 1..).unwrap_or_default());
    for kind in [kind.as_ref(), "multipart/form-data; boundary=b"] {
        if let Some(Ok((tree, flat))) = run(decode(kind, body.clone())) {
            assert!(tree.is_object() || tree.is_array());
            assert!(flat.len() <= parom_core::limits::FORM_FIELDS);
        }
    }
}

fn any_body(bytes: &[u8]) {
    let _ = run(sniff(Bytes::copy_from_slice(bytes)));
}

fn csv(bytes: &[u8]) {
    for encoding in [None, Some("windows-1251")] {
        file("csv", bytes, Asked { encoding, ..Asked::default() });
    }
}

fn xlsx(bytes: &[u8]) {
    file("xlsx", bytes, Asked::default());
}

fn ndjson(bytes: &[u8]) {
    file("ndjson", bytes, Asked::default());
}

fn file(ending: &str, bytes: &[u8], asked: Asked<'_>) {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let Ok(mut reader) = Reader::new(Cursor::new(bytes.to_vec()), size, ending, asked) else { return };
    let mut before = 0;
    for taken in reader.by_ref().take(ROWS) {
        assert!(taken.place > before, "row {} after row {before}", taken.place);
        before = taken.place;
        assert!(taken.row.is_ok_and(|row| row.is_object() || row.is_array()) || before > 0);
    }
    assert!(reader.read() <= reader.bytes());
}
