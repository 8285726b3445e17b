//! The classes of answers, by a table: what is not provable either way is unknown.

use parom_core::delivery::outcome::{Answer, Outcome, classify, classify_card};

fn class(status: u16, body: &str) -> String {
    classed(status, None, false, body)
}

fn classed(status: u16, retry_after: Option<u64>, has_rate_header: bool, body: &str) -> String {
    let answer = Answer::Response { status, retry_after, has_rate_header, body: body.as_bytes() };
    match classify(answer, Some("P-1")) {
        Outcome::Delivered(id) => format!("delivered {id}"),
        Outcome::RateLimited(seconds) => format!("rate_limited {seconds}"),
        Outcome::Paused(status) => format!("paused {status}"),
        Outcome::Rejected(errors) => {
            let texts: Vec<String> = errors.into_iter().map(|(path, text)| format!("{path}={text}")).collect();
            format!("rejected {}", texts.join(";"))
        }
        other => other.as_str().to_owned(),
    }
}

/// The vendor names 403 for a card's wrong arguments too: with words of the CRM it is about this card, and stops no other.
#[test]
fn a_card_that_the_crm_forbids_in_words_is_refused() {
    let answer =
        |body: &'static [u8]| Answer::Response { status: 403, retry_after: None, has_rate_header: false, body };
    let refused = classify_card(answer(br#"{"message":"The pipeline is not active"}"#));
    assert_eq!(refused, Outcome::Rejected(vec![(String::new(), "The pipeline is not active".to_owned())]));
    assert_eq!(classify_card(answer(b"<html>")), Outcome::Paused(403));
}

#[test]
fn every_answer_has_its_class() {
    let table: &[(u16, &str, &str)] = &[
        (201, r#"{"id":12,"source_uuid":"P-1"}"#, "delivered 12"),
        (200, r#"{"id":12,"source_uuid":" P-1 "}"#, "delivered 12"),
        (201, r#"{"id":"12","source_uuid":"P-1","extra":[1]}"#, "delivered 12"),
        (201, r#"{"id":12,"source_uuid":"P-2"}"#, "unknown"),
        (201, r#"{"id":12}"#, "unknown"),
        (201, r#"{"source_uuid":"P-1"}"#, "unknown"),
        (201, "", "unknown"),
        (200, "<html>ok</html>", "unknown"),
        (201, r#"{"id":12,"source_uu"#, "unknown"),
        (204, "", "unknown"),
        (201, "[]", "unknown"),
        (422, r#"{"message":"x","errors":{"buyer.email":["bad","worse"]}}"#, "rejected buyer.email=bad worse"),
        (400, r#"{"message":"Leads are not enabled"}"#, "rejected =Leads are not enabled"),
        (422, r#"{"errors":{"source_uuid":["The source uuid has already been taken."]}}"#, "number_taken"),
        (422, r#"{"message":"x","errors":{"a":["b"],"source_uuid":["has already been taken"]}}"#, "number_taken"),
        (422, "<html></html>", "unknown"),
        (400, "{}", "unknown"),
        (413, "", "rejected =the CRM answered 413"),
        (415, "", "rejected =the CRM answered 415"),
        (401, "", "paused 401"),
        (403, "<html>", "paused 403"),
        (404, "", "paused 404"),
        (429, r#"{"message":"Too Many Attempts."}"#, "rate_limited 60"),
        (429, "<html>", "unknown"),
        (408, "", "unknown"),
        (409, "", "unknown"),
        (425, "", "unknown"),
        (301, "", "unknown"),
        (500, r#"{"message":"Server Error"}"#, "unknown"),
        (502, "<html>", "unknown"),
        (503, "", "unknown"),
        (504, "", "unknown"),
        (418, "", "unknown"),
        (100, "", "unknown"),
    ];
    for (status, body, expected) in table {
        assert_eq!(class(*status, body), *expected, "{status} {body}");
    }
    assert_eq!(classed(429, Some(5), true, "<html>"), "rate_limited 60");
    assert_eq!(classed(429, Some(300), true, ""), "rate_limited 300");
    assert_eq!(classify(Answer::NotSent, Some("P-1")), Outcome::NotApplied);
    assert_eq!(classify(Answer::Lost, Some("P-1")).as_str(), "unknown");
}
