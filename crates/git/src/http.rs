//! Smart HTTP.

use reqwest::{Response, StatusCode, header};

use crate::session::Remote;
use crate::url::GitUrl;
use crate::{GitError, HttpAuth};

/// A repository that has answered.
pub(crate) struct HttpSession {
    client: reqwest::Client,
    base: url::Url,
    auth: HttpAuth,
}

impl HttpSession {
    /// Asks for the references.
    pub(crate) async fn open(remote: &Remote) -> Result<(Self, Response), GitError> {
        let mut url = remote.url.url.clone();
        let path = format!("{}/info/refs", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.set_query(Some("service=git-upload-pack"));
        let request = remote.http.get(url).header(header::ACCEPT, "*/*").header(header::CACHE_CONTROL, "no-cache");
        let response = remote.auth.apply(request).send().await.map_err(GitError::Http)?;
        let response = judge(response, &remote.url, remote.auth.is_some())?;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        if !kind.starts_with("application/x-git-upload-pack-advertisement") {
            return Err(GitError::NotGit {
                url: remote.url.to_string(),
                reason: format!("the answer's content type is {kind:?}"),
            });
        }
        // A redirect of the first request moves the repository; credentials stay with the origin they are for.
        let mut base = response.url().clone();
        let moved = base.path().strip_suffix("/info/refs").map(str::to_owned);
        base.set_query(None);
        base.set_path(moved.as_deref().unwrap_or(remote.url.url.path()));
        let same_origin = base.origin() == remote.url.url.origin();
        let auth = if same_origin { remote.auth.clone() } else { HttpAuth::None };
        Ok((Self { client: remote.http.clone(), base, auth }, response))
    }

    /// Asks for a pack.
    pub(crate) async fn upload_pack(self, body: Vec<u8>) -> Result<Response, GitError> {
        let mut url = self.base.clone();
        let path = format!("{}/git-upload-pack", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let request = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/x-git-upload-pack-request")
            .header(header::ACCEPT, "application/x-git-upload-pack-result")
            .body(body);
        let response = self.auth.apply(request).send().await.map_err(GitError::Http)?;
        let shown = GitUrl::parse(self.base.as_str())?;
        judge(response, &shown, self.auth.is_some())
    }
}

fn judge(response: Response, url: &GitUrl, has_credentials: bool) -> Result<Response, GitError> {
    match response.status() {
        StatusCode::OK => Ok(response),
        StatusCode::UNAUTHORIZED if has_credentials => {
            Err(GitError::Authentication(format!("{url} does not accept the given credentials")))
        }
        StatusCode::UNAUTHORIZED => {
            Err(GitError::Authentication(format!("{url} wants credentials; give them by spec.secretRef")))
        }
        StatusCode::FORBIDDEN => Err(GitError::Authorization(format!("{url} refuses access with these credentials"))),
        StatusCode::NOT_FOUND => Err(GitError::NotFound(url.to_string())),
        status if status.is_redirection() => Err(GitError::NotGit {
            url: url.to_string(),
            reason:
                "it redirects to another origin, which is not followed with a client certificate or from https to http"
                    .to_owned(),
        }),
        status => Err(GitError::Status { status: status.as_u16() }),
    }
}
