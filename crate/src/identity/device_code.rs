//! Device code sign-in: the user types a code in a browser.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::authority::Authority;
use super::error_mapping::Failure;
use super::token_endpoint::Grant;
use super::token_service::TokenService;
use super::{AccessToken, Notify};
use crate::cancel;
use crate::error::Result;
use crate::json::{Json, deserialize, fields, plain_text};
use crate::secret::Secret;
use crate::settings::IdentitySettings;
use crate::text::sanitize_line;

const CONNECT: Duration = Duration::from_secs(5);
/// The public application of Azure's developer tools, which azure-identity uses, too.
const APPLICATION: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const HINT: &str =
    "run `az login` and try again, or check the network, and AZURE_AUTHORITY_HOST if it is set";
/// The polling interval if the service gives none, in seconds.
const INTERVAL: f64 = 5.0;
/// How much the interval grows after `slow_down`.
const SLOWER: Duration = Duration::from_secs(5);
/// The longest validity of a code, in seconds.
const MAX_LENGTH: f64 = 3600.0;

/// A user with a browser.
pub(super) struct DeviceCode {
    authority: Authority,
    service: TokenService,
    notify: Notify,
    /// Renews the token without the user.
    refresh_token: Mutex<Option<Secret>>,
}

/// A code to be typed.
struct Offer {
    device_code: Secret,
    user_code: String,
    address: String,
    interval: Duration,
    ends: Instant,
}

impl DeviceCode {
    pub(super) fn new(settings: &IdentitySettings, notify: Notify) -> Result<Self> {
        let authority = Authority::new(settings)?;
        Ok(Self {
            service: TokenService::new(&authority.url, None, CONNECT, HINT)?,
            authority,
            notify,
            refresh_token: Mutex::default(),
        })
    }

    pub(super) async fn token(&self, scope: &str) -> Result<AccessToken, Failure> {
        let scope = format!("{scope} offline_access");
        // A copy: a renewal that is cancelled must not lose the refresh token.
        let kept = self.kept().clone();
        if let Some(refresh_token) = kept {
            match self.renewed(&scope, &refresh_token).await {
                // The session has ended: the user signs in again.
                Err(Failure::Refused(_) | Failure::Unavailable(_)) => *self.kept() = None,
                renewed => return renewed,
            }
        }
        let offer = self.offer(&scope).await?;
        (self.notify)(&format!(
            "To sign in, open {} in a browser and enter the code {}. The request waits for it.",
            offer.address, offer.user_code
        ));
        self.typed(&offer).await
    }

    async fn renewed(&self, scope: &str, refresh_token: &Secret) -> Result<AccessToken, Failure> {
        let form = [
            ("client_id", APPLICATION),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
            ("scope", scope),
        ];
        let request = self.service.post(self.authority.oauth("token"), &form);
        let reply = self.service.request_token(&request).await?;
        let (token, grant) = self.service.token(&reply, WHO)?;
        self.keep(grant, Some(refresh_token));
        Ok(token)
    }

    async fn offer(&self, scope: &str) -> Result<Offer, Failure> {
        let form = [("client_id", APPLICATION), ("scope", scope)];
        let request = self.service.post(self.authority.oauth("devicecode"), &form);
        let reply = self.service.request_token(&request).await?;
        if !reply.is_success() {
            return Err(self.service.refused(&reply, WHO));
        }
        offer(&reply.body).ok_or_else(|| {
            let host = self.service.host();
            Failure::refused(format!("{host} gave no code to sign in with"), HINT)
        })
    }

    /// Polls until the code was typed or has expired.
    async fn typed(&self, offer: &Offer) -> Result<AccessToken, Failure> {
        let mut interval = offer.interval;
        let form = [
            ("client_id", APPLICATION),
            ("device_code", offer.device_code.expose()),
            ("grant_type", GRANT),
        ];
        loop {
            if cancel::sleep(interval, None).await {
                return Err(stopped());
            }
            if Instant::now() >= offer.ends {
                return Err(over());
            }
            let request = self.service.post(self.authority.oauth("token"), &form);
            let reply = self.service.request_token(&request).await?;
            if reply.is_success() {
                let (token, grant) = self.service.token(&reply, WHO)?;
                self.keep(grant, None);
                return Ok(token);
            }
            let code = self.service.error_response(&reply).code;
            if let Some(next) = next_interval(&code, interval) {
                interval = next;
                continue;
            }
            match code.as_str() {
                "expired_token" | "code_expired" => return Err(over()),
                "authorization_declined" => {
                    return Err(Failure::refused(
                        "the sign-in was declined in the browser",
                        "sign in again, and confirm it there; or run `az login`",
                    ));
                }
                _ => return Err(self.service.refused(&reply, WHO)),
            }
        }
    }

    fn keep(&self, grant: Grant, before: Option<&Secret>) {
        *self.kept() = grant.refresh_token.or_else(|| before.cloned());
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Secret>> {
        self.refresh_token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

const WHO: &str = "you in a browser";

/// How long to wait before polling again; `None` if the code says that polling is over.
fn next_interval(code: &str, interval: Duration) -> Option<Duration> {
    match code {
        "authorization_pending" => Some(interval),
        "slow_down" => Some(interval + SLOWER),
        _ => None,
    }
}

fn stopped() -> Failure {
    Failure::refused(
        "the sign-in was stopped before the code was entered",
        "sign in again for a new code, or run `az login`",
    )
}

fn over() -> Failure {
    Failure::refused(
        "the code was not entered in time",
        "sign in again for a new code, or run `az login`",
    )
}

fn offer(body: &[u8]) -> Option<Offer> {
    let asked = Instant::now();
    let json = Json::new(String::from_utf8(body.to_vec()).ok()?).ok()?;
    let [device_code, user_code, uri, url, interval, expires_in] = fields(
        json.raw(),
        [
            "device_code",
            "user_code",
            "verification_uri",
            "verification_url",
            "interval",
            "expires_in",
        ],
    );
    let text = |json: Option<&_>| json.and_then(deserialize::<String>);
    let seconds = |json: Option<&_>, else_: f64| {
        let given = json.and_then(plain_text).and_then(|text| text.parse().ok());
        let given = given
            .filter(|seconds: &f64| *seconds > 0.0)
            .unwrap_or(else_);
        Duration::from_secs_f64(given.clamp(0.1, MAX_LENGTH))
    };
    // The user reads and types them.
    let shown = |text: String| {
        let line = sanitize_line(&text, 200);
        (line == text && !line.is_empty()).then_some(line)
    };
    let address = shown(text(uri.or(url))?)?;
    Some(Offer {
        device_code: Secret::new(text(device_code)?),
        user_code: shown(text(user_code)?)?,
        address: Some(address).filter(|address| address.starts_with("https://"))?,
        interval: seconds(interval, INTERVAL),
        ends: asked + seconds(expires_in, 900.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::{Reply, Server};
    use serde_json::json;
    use std::sync::Mutex as Lock;

    static TOLD: Lock<Vec<String>> = Lock::new(Vec::new());

    fn tell(note: &str) {
        TOLD.lock().unwrap().push(note.to_owned());
    }

    fn person(server: &Server) -> DeviceCode {
        let settings = IdentitySettings {
            authority: Some(server.url()),
            tenant: Some("contoso".to_owned()),
            ..IdentitySettings::default()
        };
        DeviceCode::new(&settings, tell).unwrap()
    }

    fn code(server_code: &str) -> Reply {
        Reply::json(
            200,
            json!({"device_code": server_code, "user_code": format!("ABC-{server_code}"),
            "verification_uri": "https://microsoft.example/devicelogin", "expires_in": 900, "interval": 0.1}),
        )
    }

    fn refused(error: &str, description: &str) -> Reply {
        Reply::json(
            400,
            json!({"error": error, "error_description": description}),
        )
    }

    fn token(token: &str) -> Reply {
        Reply::json(
            200,
            json!({"access_token": token, "expires_in": 3600, "refresh_token": "a-refresh-token"}),
        )
    }

    fn form(request: &crate::loopback::Request) -> String {
        String::from_utf8(request.body.clone()).unwrap()
    }

    #[tokio::test]
    async fn the_code_is_shown_and_waited_for_and_the_next_token_needs_no_person() {
        let pending = || refused("authorization_pending", "AADSTS70016: pending");
        let server = Server::new([
            code("first"),
            pending(),
            pending(),
            token("one"),
            token("two"),
        ]);
        let person = person(&server);
        let one = person.token("r/.default").await.ok().unwrap();
        let two = person.token("r/.default").await.ok().unwrap();
        assert_eq!((one.secret.expose(), two.secret.expose()), ("one", "two"));
        let reported = TOLD.lock().unwrap().join("\n");
        assert!(
            reported.contains("open https://microsoft.example/devicelogin"),
            "{reported}"
        );
        assert!(reported.contains("enter the code ABC-first"), "{reported}");
        let requests = server.requests();
        assert_eq!(requests[0].target, "/contoso/oauth2/v2.0/devicecode");
        assert_eq!(requests[1].target, "/contoso/oauth2/v2.0/token");
        insta::assert_snapshot!(form(&requests[0]), @"client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&scope=r%2F.default+offline_access");
        insta::assert_snapshot!(form(&requests[1]), @"client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&device_code=first&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code");
        assert!(form(&requests[4]).contains("grant_type=refresh_token"));
    }

    #[tokio::test]
    async fn a_sign_in_that_is_not_allowed_says_what_is() {
        let blocked = "AADSTS53003: Access has been blocked by Conditional Access policies.";
        for (reply, reported) in [
            (refused("authorization_declined", "no"), "declined"),
            (refused("access_denied", blocked), "run `az login`"),
            (refused("invalid_grant", blocked), "run `az login`"),
            (
                refused("expired_token", "AADSTS70020"),
                "was not entered in time",
            ),
        ] {
            let server = Server::new([code("x"), reply]);
            let Err(Failure::Refused(error)) = person(&server).token("r/.default").await else {
                panic!("it was let in")
            };
            assert!(format!("{error:?}").contains(reported), "{error:?}");
        }
    }

    #[tokio::test]
    async fn what_offers_no_code_is_told() {
        for offer in [
            json!({"device_code": "x", "user_code": "A", "verification_uri": "http://evil.example"}),
            json!({"device_code": "x", "user_code": "A\u{1b}[2J", "verification_uri": "https://a.example"}),
            json!({}),
        ] {
            let server = Server::new([Reply::json(200, offer)]);
            let failed = person(&server).token("r/.default").await;
            assert!(matches!(failed, Err(Failure::Refused(_))));
        }
    }

    #[test]
    fn a_service_that_is_asked_too_often_is_asked_less() {
        let body =
            json!({"device_code": "x", "user_code": "A", "verification_uri": "https://a.example"});
        let offer = offer(body.to_string().as_bytes()).unwrap();
        assert_eq!(offer.interval, Duration::from_secs(5));
        assert!(offer.ends > Instant::now() + Duration::from_secs(800));
        let seconds = |code| next_interval(code, offer.interval).map(|next| next.as_secs());
        assert_eq!(seconds("authorization_pending"), Some(5));
        assert_eq!(seconds("slow_down"), Some(10));
        assert_eq!(seconds("expired_token"), None);
    }
}
