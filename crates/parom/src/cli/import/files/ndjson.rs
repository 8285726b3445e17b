//! NDJSON: a JSON object on each line.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parom_core::limits;
use parom_core::submission::decode_json;

use super::{Counted, Taken};

pub(super) fn rows<R: Read + Send + 'static>(source: R, read: &Arc<AtomicU64>) -> super::Rows {
    Box::new(Rows { lines: BufReader::new(Counted::new(source, read)), place: 0, over: false })
}

struct Rows<R> {
    lines: BufReader<Counted<R>>,
    place: u64,
    over: bool,
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Taken;

    fn next(&mut self) -> Option<Taken> {
        let limit = u64::try_from(limits::BODY_BYTES).unwrap_or(u64::MAX);
        while !self.over {
            self.place += 1;
            let place = self.place;
            let mut line = Vec::new();
            let error = |why: String| Some(Taken { place, row: Err(why) });
            match (&mut self.lines).take(limit + 1).read_until(b'\n', &mut line) {
                Err(broken) => {
                    self.over = true;
                    return error(broken.to_string());
                }
                Ok(0) => return None,
                Ok(_) if u64::try_from(line.len()).unwrap_or(u64::MAX) > limit => {
                    // Without the line's end there is no telling where the next one begins.
                    self.over = true;
                    return error(format!("the line is longer than {limit} bytes; nothing after it was read"));
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    let row = decode_json(line.trim_ascii()).map_err(|error| error.to_string());
                    return Some(Taken { place, row });
                }
            }
        }
        None
    }
}
