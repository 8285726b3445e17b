//! A body by its content type → the submission's tree.

use bytes::Bytes;
use parom_core::limits;
use parom_core::submission::{
    DecodeError, Decoded, decode_json, decode_json_within, decode_pairs, decode_urlencoded, readable,
};
use serde_json::{Map, Value};

const FORM: &str = "application/x-www-form-urlencoded";

/// Decodes a body by what its sender says it is.
///
/// # Errors
/// What is malformed, over a limit, or not taken.
pub async fn decode(content_type: &str, body: Bytes) -> Result<Decoded, DecodeError> {
    decode_within(content_type, body, limits::JSON_NODES).await
}

/// As [`decode`], with another limit of a JSON document's values.
///
/// # Errors
/// As [`decode`].
pub(super) async fn decode_within(content_type: &str, body: Bytes, nodes: usize) -> Result<Decoded, DecodeError> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        FORM => decode_urlencoded(&body),
        "multipart/form-data" => multipart(content_type, body).await,
        "application/json" | "text/json" => decode_json_within(&body, nodes).map(|tree| (tree, Vec::new())),
        kind if kind.ends_with("+json") => decode_json_within(&body, nodes).map(|tree| (tree, Vec::new())),
        // Some senders name no type, or send JSON as plain text to spare themselves a CORS preflight.
        "" | "text/plain" => sniff(body).await,
        other => Err(DecodeError::Unsupported(format!(
            "the content type `{other}` is not taken; send a form ({FORM} or multipart/form-data) or application/json"
        ))),
    }
}

/// Decodes a body by its content alone.
///
/// # Errors
/// As [`decode`].
pub async fn sniff(body: Bytes) -> Result<Decoded, DecodeError> {
    // A file of Windows begins with a mark.
    let body = if body.starts_with(b"\xef\xbb\xbf") { body.slice(3..) } else { body };
    let start = body.trim_ascii_start();
    if start.is_empty() {
        return Ok((Value::Object(Map::new()), Vec::new()));
    }
    if matches!(start.first(), Some(b'{' | b'[')) {
        return decode_json(&body).map(|tree| (tree, Vec::new()));
    }
    if let Some(rest) = start.strip_prefix(b"--") {
        let boundary = rest.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let content_type = format!("multipart/form-data; boundary={}", String::from_utf8_lossy(boundary));
        return multipart(&content_type, body).await;
    }
    let body = Bytes::copy_from_slice(body.trim_ascii_end());
    decode_urlencoded(&body)
}

async fn multipart(content_type: &str, body: Bytes) -> Result<Decoded, DecodeError> {
    let malformed = |error: multer::Error| DecodeError::Malformed(format!("the multipart body is broken: {error}"));
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    let stream = http_body_util::BodyDataStream::new(http_body_util::Full::new(body));
    let mut parts = multer::Multipart::new(stream, boundary);
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        if pairs.len() == limits::MULTIPART_PARTS {
            return Err(DecodeError::TooLarge(format!("the form has more than {} parts", limits::MULTIPART_PARTS)));
        }
        let Some(name) = part.name().map(str::to_owned) else {
            continue;
        };
        let file = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(malformed)?;
        match file {
            // A file input that the buyer left empty.
            Some(file) if file.is_empty() && bytes.is_empty() => continue,
            Some(file) => {
                return Err(DecodeError::Unsupported(format!(
                    "the field `{name}` brings the file `{file}`; files are not taken, send the order without it"
                )));
            }
            None => pairs.push((name, readable(&bytes).into_owned())),
        }
    }
    decode_pairs(pairs)
}
