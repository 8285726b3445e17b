//! Who asks: a bearer token, its role, and the accounts that it may see.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parom_core::limits::SECRET_BYTES;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Api;
use super::problem::Refused;
use crate::config::{Config, Role, read_secret};
use crate::store::{Scope, StoreError};

/// One request, whole.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The token's name, for the history.
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) scope: Scope,
}

#[derive(Clone, Debug)]
struct Known {
    sha256: [u8; 32],
    caller: Caller,
}

/// The tokens of the configuration, by their hashes.
#[derive(Clone, Debug)]
pub(super) struct Tokens(Arc<Vec<Known>>);

impl Tokens {
    pub(super) fn read(config: &Config) -> Result<Tokens, String> {
        let known = config.api_tokens.iter().map(|token| {
            let secret = read_secret(&config.dir, &token.token)
                .map_err(|error| format!("api.tokens.{}.token: {error}", token.name))?;
            if secret.expose_secret().len() < SECRET_BYTES {
                return Err(format!("api.tokens.{}.token: shorter than {SECRET_BYTES} bytes", token.name));
            }
            let scope = token.accounts.clone().map_or(Scope::All, Scope::Accounts);
            let caller = Caller { name: format!("api:{}", token.name), role: token.role, scope };
            Ok(Known { sha256: Sha256::digest(secret.expose_secret().as_bytes()).into(), caller })
        });
        Ok(Tokens(Arc::new(known.collect::<Result<_, String>>()?)))
    }

    /// Every token is compared, in constant time, so that the time tells nothing.
    fn find(&self, given: &str) -> Option<Caller> {
        let given: [u8; 32] = Sha256::digest(given.as_bytes()).into();
        let same = |known: &&Known| bool::from(known.sha256.as_slice().ct_eq(given.as_slice()));
        self.0.iter().fold(None, |found, known| if same(&known) { Some(known.caller.clone()) } else { found })
    }
}

/// The bearer of a token of the configuration, or of one that was made on the pages.
pub(super) async fn caller(api: &Api, bearer: Option<&str>) -> Result<Option<Caller>, StoreError> {
    let Some(token) = bearer else { return Ok(None) };
    if let Some(known) = api.tokens.find(token) {
        return Ok(Some(known));
    }
    // Only a hash is looked up, so the time tells nothing of a token.
    let kept = api.intake.store.token(Sha256::digest(token.as_bytes()).into()).await?;
    Ok(kept.map(|kept| Caller { name: format!("api:{}", kept.name), role: kept.role, scope: kept.scope }))
}

/// Lets a request through to its handler, with its caller.
pub(super) async fn guard(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let bearer = crate::intake::bearer(request.headers()).map(str::to_owned);
    let caller = match caller(&api, bearer.as_deref()).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return Refused::new(401, "Unauthenticated.").into_response(),
        Err(error) => return Refused::from(error).into_response(),
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && caller.role < Role::Operator {
        return Refused::new(403, "this token may only look").into_response();
    }
    request.extensions_mut().insert(caller);
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refused::new(408, "the request took too long").into_response(),
    }
}
