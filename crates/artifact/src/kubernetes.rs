//! Callers and permissions asked of the Kubernetes API: TokenReview and SubjectAccessReview, each answer kept briefly.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::server::{AuthError, Authenticator, Authoriser, BoxFuture, Caller, Verb};
use crate::source::SourceKind;

/// How long an accepted token is taken without asking again.
const TOKEN_KEPT: Duration = Duration::from_secs(60);
/// How long an answer about a permission, or a refused token, is kept.
const ANSWER_KEPT: Duration = Duration::from_secs(10);
/// Most answers kept; a few hundred bytes each.
const ANSWERS: usize = 2048;

/// Asks the API server who holds a token.
pub struct TokenReviewer {
    api: Api<TokenReview>,
    /// By the token's SHA-256: tokens themselves are not kept.
    answers: Kept<[u8; 32], Result<Caller, String>>,
}

impl TokenReviewer {
    /// A reviewer for tokens of our audience.
    pub fn new(client: Client) -> Self {
        Self { api: Api::all(client), answers: Kept::default() }
    }

    async fn review(&self, token: &str) -> Result<Caller, AuthError> {
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(answer) = self.answers.get(&key) {
            return answer.map_err(AuthError::Rejected);
        }
        let review = TokenReview {
            spec: TokenReviewSpec { audiences: Some(vec![crate::AUDIENCE.to_owned()]), token: Some(token.to_owned()) },
            ..TokenReview::default()
        };
        let review = self
            .api
            .create(&PostParams::default(), &review)
            .await
            .map_err(|error| AuthError::Unavailable(format!("TokenReview failed: {error}")))?;
        let answer = judge(review);
        let kept = if answer.is_ok() { TOKEN_KEPT } else { ANSWER_KEPT };
        self.answers.put(key, answer.clone(), kept);
        answer.map_err(AuthError::Rejected)
    }
}

/// The caller named by a review's answer. An API server that does not know audiences answers without them: not for us.
fn judge(review: TokenReview) -> Result<Caller, String> {
    let status = review.status.unwrap_or_default();
    if let Some(error) = status.error.filter(|error| !error.is_empty()) {
        return Err(error);
    }
    let is_for_us = status.audiences.unwrap_or_default().iter().any(|audience| audience == crate::AUDIENCE);
    let user = status.user.unwrap_or_default();
    let username = user.username.unwrap_or_default();
    if status.authenticated != Some(true) || !is_for_us || username.is_empty() {
        return Err(format!("it must be a token of this cluster for the audience {:?}", crate::AUDIENCE));
    }
    Ok(Caller {
        username,
        uid: user.uid.unwrap_or_default(),
        groups: user.groups.unwrap_or_default(),
        extra: user.extra.unwrap_or_default(),
    })
}

impl Authenticator for TokenReviewer {
    fn authenticate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Caller, AuthError>> {
        Box::pin(self.review(token))
    }
}

/// Asks the API server what a caller may read.
pub struct AccessReviewer {
    api: Api<SubjectAccessReview>,
    answers: Kept<(Caller, Verb, SourceKind, Scope), bool>,
}

/// All objects of a kind, those of a namespace, or one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Scope {
    namespace: Option<String>,
    name: Option<String>,
}

impl AccessReviewer {
    /// A reviewer.
    pub fn new(client: Client) -> Self {
        Self { api: Api::all(client), answers: Kept::default() }
    }

    /// Whether a permission covers the object. The widest scope is asked for first: a controller that may read every source
    /// then costs one review now and then instead of one for each object.
    async fn review(
        &self,
        caller: &Caller,
        verb: Verb,
        kind: SourceKind,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Result<bool, AuthError> {
        let mut scopes = vec![Scope { namespace: None, name: None }];
        if let Some(namespace) = namespace {
            scopes.push(Scope { namespace: Some(namespace.to_owned()), name: None });
        }
        if let Some(name) = name {
            scopes.push(Scope { namespace: namespace.map(str::to_owned), name: Some(name.to_owned()) });
        }
        for scope in scopes {
            if self.ask(caller, verb, kind, scope).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn ask(&self, caller: &Caller, verb: Verb, kind: SourceKind, scope: Scope) -> Result<bool, AuthError> {
        let key = (caller.clone(), verb, kind, scope.clone());
        if let Some(answer) = self.answers.get(&key) {
            return Ok(answer);
        }
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(caller.username.clone()),
                uid: (!caller.uid.is_empty()).then(|| caller.uid.clone()),
                groups: Some(caller.groups.clone()),
                extra: Some(caller.extra.clone()),
                resource_attributes: Some(ResourceAttributes {
                    group: Some(SourceKind::GROUP.to_owned()),
                    resource: Some(kind.resource().to_owned()),
                    verb: Some(verb.as_str().to_owned()),
                    namespace: scope.namespace,
                    name: scope.name,
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let review = self
            .api
            .create(&PostParams::default(), &review)
            .await
            .map_err(|error| AuthError::Unavailable(format!("SubjectAccessReview failed: {error}")))?;
        let is_allowed = review.status.is_some_and(|status| status.allowed && status.denied != Some(true));
        self.answers.put(key, is_allowed, ANSWER_KEPT);
        Ok(is_allowed)
    }
}

impl Authoriser for AccessReviewer {
    fn is_allowed<'a>(
        &'a self,
        caller: &'a Caller,
        verb: Verb,
        kind: SourceKind,
        namespace: Option<&'a str>,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, AuthError>> {
        Box::pin(self.review(caller, verb, kind, namespace, name))
    }
}

/// Answers with a time to live, bounded in number.
struct Kept<K, V> {
    answers: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { answers: Mutex::new(HashMap::new()) }
    }
}

impl<K: Hash + Eq, V: Clone> Kept<K, V> {
    fn get(&self, key: &K) -> Option<V> {
        let answers = self.answers.lock();
        let (until, value) = answers.get(key)?;
        (Instant::now() < *until).then(|| value.clone())
    }

    fn put(&self, key: K, value: V, kept: Duration) {
        let now = Instant::now();
        let mut answers = self.answers.lock();
        if answers.len() >= ANSWERS {
            answers.retain(|_, (until, _)| now < *until);
        }
        if answers.len() >= ANSWERS {
            // Somebody sends a new token with every call; the answers are cheap to get again.
            answers.clear();
        }
        answers.insert(key, (now + kept, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::authentication::v1::{TokenReviewStatus, UserInfo};

    fn review(authenticated: bool, audiences: &[&str], username: &str) -> TokenReview {
        TokenReview {
            status: Some(TokenReviewStatus {
                authenticated: Some(authenticated),
                audiences: Some(audiences.iter().map(|&audience| audience.to_owned()).collect()),
                user: Some(UserInfo { username: Some(username.to_owned()), ..UserInfo::default() }),
                error: None,
            }),
            ..TokenReview::default()
        }
    }

    #[test]
    fn only_tokens_for_our_audience_name_a_caller() {
        assert_eq!(judge(review(true, &[crate::AUDIENCE], "jane")).unwrap().username, "jane");
        for refused in [
            review(false, &[crate::AUDIENCE], "jane"),
            review(true, &[], "jane"),
            review(true, &["other"], "jane"),
            review(true, &[crate::AUDIENCE], ""),
            TokenReview::default(),
        ] {
            assert!(judge(refused).is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_end() {
        let kept = Kept::default();
        kept.put("a", 1, Duration::from_secs(10));
        assert_eq!(kept.get(&"a"), Some(1));
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(kept.get(&"a"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_bounded() {
        let kept = Kept::default();
        for key in 0..ANSWERS * 3 {
            kept.put(key, (), Duration::from_secs(10));
        }
        assert!(kept.answers.lock().len() <= ANSWERS);
    }
}
