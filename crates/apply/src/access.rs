//! Other identities and other clusters: impersonation of service accounts, and kubeconfigs made safe to use.

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::Error;

/// What a kubeconfig may contain beyond plain data.
#[derive(Clone, Copy, Debug, Default)]
pub struct KubeconfigPolicy {
    /// Programs may be run for credentials.
    pub allow_exec: bool,
    /// Server certificates need not be checked.
    pub allow_insecure_tls: bool,
}

/// The user name of a service account.
pub fn service_account_user(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// A configuration that acts as the given service account.
pub fn impersonate(mut config: Config, namespace: &str, name: &str) -> Config {
    config.auth_info.impersonate = Some(service_account_user(namespace, name));
    config
}

/// A client from a configuration.
pub fn client(config: Config) -> Result<Client, Error> {
    Client::try_from(config).map_err(|error| Error::Client(Box::new(error)))
}

/// Reads a kubeconfig from a Secret and takes out what would read files, run programs or trust anybody.
///
/// What is taken out was necessary in most cases, so its presence is an error that says what to do.
pub async fn kubeconfig(text: &str, policy: KubeconfigPolicy) -> Result<Config, Error> {
    let parsed = Kubeconfig::from_yaml(text)
        .map_err(|_| Error::Kubeconfig("it is not a valid kubeconfig document".to_owned()))?;
    check(&parsed, policy)?;
    let mut config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default())
        .await
        .map_err(|error| Error::Kubeconfig(error.to_string()))?;
    // The library takes `HTTPS_PROXY` for every kubeconfig, whatever `NO_PROXY` says.
    config.proxy_url = None;
    config.connect_timeout = Some(std::time::Duration::from_secs(30));
    Ok(config)
}

fn check(config: &Kubeconfig, policy: KubeconfigPolicy) -> Result<(), Error> {
    let refuse = |what: String| Err(Error::Kubeconfig(what));
    for named in &config.clusters {
        let Some(cluster) = &named.cluster else { continue };
        if cluster.certificate_authority.is_some() {
            return refuse(format!(
                "cluster \"{}\" names a file in certificate-authority; put the certificate into certificate-authority-data",
                named.name
            ));
        }
        if cluster.proxy_url.is_some() {
            return refuse(format!("cluster \"{}\" sets proxy-url, which is not supported", named.name));
        }
        if cluster.insecure_skip_tls_verify == Some(true) && !policy.allow_insecure_tls {
            return refuse(format!(
                "cluster \"{}\" sets insecure-skip-tls-verify, which needs the flag --insecure-kubeconfig-tls",
                named.name
            ));
        }
    }
    for named in &config.auth_infos {
        let Some(user) = &named.auth_info else { continue };
        for (field, present) in [
            ("tokenFile", user.token_file.is_some()),
            ("client-certificate", user.client_certificate.is_some()),
            ("client-key", user.client_key.is_some()),
        ] {
            if present {
                return refuse(format!(
                    "user \"{}\" names a file in {field}; put its content into the kubeconfig",
                    named.name
                ));
            }
        }
        if user.auth_provider.is_some() {
            return refuse(format!("user \"{}\" uses auth-provider, which is not supported", named.name));
        }
        if user.exec.is_some() && !policy.allow_exec {
            return refuse(format!(
                "user \"{}\" runs a program (exec), which needs the flag --insecure-kubeconfig-exec",
                named.name
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(cluster: &str, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster:\n    server: https://example.invalid\n{cluster}\
             users:\n- name: u\n  user:\n    token: secret-token\n{user}\
             contexts:\n- name: x\n  context: {{cluster: c, user: u}}\ncurrent-context: x\n"
        )
    }

    fn refusal(cluster: &str, user: &str, policy: KubeconfigPolicy) -> Option<String> {
        let parsed = Kubeconfig::from_yaml(&config(cluster, user)).unwrap();
        check(&parsed, policy).err().map(|error| error.to_string())
    }

    #[test]
    fn files_programs_and_blind_trust_are_refused() {
        let policy = KubeconfigPolicy::default();
        assert_eq!(refusal("", "", policy), None);
        for (cluster, user, word) in [
            ("    certificate-authority: /etc/ca\n", "", "certificate-authority-data"),
            ("    insecure-skip-tls-verify: true\n", "", "--insecure-kubeconfig-tls"),
            ("    proxy-url: http://proxy.example.invalid\n", "", "proxy-url"),
            ("", "    tokenFile: /var/token\n", "tokenFile"),
            ("", "    client-certificate: /a\n", "client-certificate"),
            ("", "    client-key: /a\n", "client-key"),
            ("", "    auth-provider: {name: gcp}\n", "auth-provider"),
            (
                "",
                "    exec: {apiVersion: client.authentication.k8s.io/v1, command: sh}\n",
                "--insecure-kubeconfig-exec",
            ),
        ] {
            let refusal = refusal(cluster, user, policy).unwrap_or_default();
            assert!(refusal.contains(word), "{word}: {refusal:?}");
            assert!(!refusal.contains("secret-token"), "{refusal}");
        }
        let lax = KubeconfigPolicy { allow_exec: true, allow_insecure_tls: true };
        assert_eq!(refusal("    insecure-skip-tls-verify: true\n", "    exec: {command: sh}\n", lax), None);
    }

    #[test]
    fn impersonation_names_the_service_account() {
        let config = impersonate(Config::new("https://example.invalid".parse().unwrap()), "team", "deployer");
        assert_eq!(config.auth_info.impersonate.as_deref(), Some("system:serviceaccount:team:deployer"));
    }
}
