//! What is shown of a submission.

use parom_core::submission::masked;

#[test]
fn a_token_is_hidden_wherever_a_sender_may_put_it() {
    for (body, shown) in [
        ("token=s3cret&phone=067", "token=[hidden]&phone=067"),
        ("phone=067&Api-Key=s3cret", "phone=067&Api-Key=[hidden]"),
        (r#"{"API_KEY" : "s3\"cret","a":1}"#, r#"{"API_KEY" : "[hidden]","a":1}"#),
        ("mytoken=1&token_x=2&token", "mytoken=1&token_x=2&token"),
        ("ім'я=Олена&token=%D1%96", "ім'я=Олена&token=[hidden]"),
        (r#"{"token":"s3cret"#, r#"{"token":"[hidden]"#),
        ("--b\r\nname=\"token\"\r\n\r\ns3cret\r\n--b--", "--b\r\nname=\"token\"\r\n\r\n[hidden]\r\n--b--"),
        ("", ""),
    ] {
        assert_eq!(masked(body.as_bytes()), shown);
    }
    assert_eq!(masked(b"\xff&token=x"), "\u{fffd}&token=[hidden]");
}
