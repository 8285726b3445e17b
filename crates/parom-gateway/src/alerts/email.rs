//! Messages by e-mail.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use crate::config::{Email, is_loopback};

pub(super) async fn send(
    settings: &Email,
    password: Option<&SecretString>,
    about: &str,
    text: &str,
) -> Result<(), String> {
    let from: Mailbox = settings.from.parse().map_err(|_| "the sender's address cannot be read".to_owned())?;
    let mut message = Message::builder().from(from).subject(format!("Parom: {about}")).header(ContentType::TEXT_PLAIN);
    for to in &settings.to {
        message = message.to(to.parse().map_err(|_| "an address cannot be read".to_owned())?);
    }
    let message = message.body(text.to_owned()).map_err(|error| error.to_string())?;
    let transport = transport(settings, password)?;
    transport.send(message).await.map(drop).map_err(|error| error.to_string())
}

/// By TLS from the first byte, by STARTTLS, or in the clear on loopback alone.
fn transport(settings: &Email, password: Option<&SecretString>) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let url =
        reqwest::Url::parse(&settings.server).map_err(|_| "the mail server's address cannot be read".to_owned())?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let failed = |error: lettre::transport::smtp::Error| error.to_string();
    let mut builder = match url.scheme() {
        "smtps" => AsyncSmtpTransport::<Tokio1Executor>::relay(&host).map_err(failed)?,
        _ if is_loopback(&url) => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host),
        _ => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&host).map_err(failed)?,
    };
    if let Some(port) = url.port() {
        builder = builder.port(port);
    }
    if let (Some(user), Some(password)) = (&settings.user, password) {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
    }
    Ok(builder.build())
}
