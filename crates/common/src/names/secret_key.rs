//! Keys of Secrets and ConfigMaps that users write.

/// User name.
pub const USERNAME: &str = "username";
/// Password.
pub const PASSWORD: &str = "password";
/// Bearer token.
pub const BEARER_TOKEN: &str = "bearerToken";
/// SSH private key.
pub const IDENTITY: &str = "identity";
/// SSH public key, for the user's own reference.
pub const IDENTITY_PUBLIC: &str = "identity.pub";
/// SSH known hosts.
pub const KNOWN_HOSTS: &str = "known_hosts";
/// Certificate authority.
pub const CA_CERT: &str = "ca.crt";
/// Client certificate.
pub const TLS_CERT: &str = "tls.crt";
/// Client key.
pub const TLS_KEY: &str = "tls.key";
/// Certificate authority, in the older form.
pub const LEGACY_CA_FILE: &str = "caFile";
/// Client certificate, in the older form.
pub const LEGACY_CERT_FILE: &str = "certFile";
/// Client key, in the older form.
pub const LEGACY_KEY_FILE: &str = "keyFile";
/// Proxy address.
pub const PROXY_ADDRESS: &str = "address";
/// Credentials of container registries.
pub const DOCKER_CONFIG_JSON: &str = ".dockerconfigjson";
/// Type of Secrets with [`DOCKER_CONFIG_JSON`].
pub const DOCKER_CONFIG_JSON_TYPE: &str = "kubernetes.io/dockerconfigjson";

/// GitHub App: identifier.
pub const GITHUB_APP_ID: &str = "githubAppID";
/// GitHub App: organisation or user it is installed in.
pub const GITHUB_APP_INSTALLATION_OWNER: &str = "githubAppInstallationOwner";
/// GitHub App: installation.
pub const GITHUB_APP_INSTALLATION_ID: &str = "githubAppInstallationID";
/// GitHub App: private key.
pub const GITHUB_APP_PRIVATE_KEY: &str = "githubAppPrivateKey";
/// GitHub App: API of an Enterprise Server.
pub const GITHUB_APP_BASE_URL: &str = "githubAppBaseURL";

/// Suffix of keys with PGP public keys.
pub const PGP_KEYRING_SUFFIX: &str = ".asc";
/// Suffix of keys with SSH public keys that may sign.
pub const SSH_PUBLIC_KEY_SUFFIX: &str = ".sshpub";
/// Suffix of keys with cosign public keys.
pub const COSIGN_PUBLIC_KEY_SUFFIX: &str = ".pub";

/// Kubeconfig of a remote cluster.
pub const KUBECONFIG_VALUE: &str = "value";
/// Kubeconfig of a remote cluster, where [`KUBECONFIG_VALUE`] is absent.
pub const KUBECONFIG_VALUE_YAML: &str = "value.yaml";
/// Values of a Helm release.
pub const VALUES_YAML: &str = "values.yaml";

/// kubeConfig.configMapRef: who issues the credentials.
pub const KUBECONFIG_PROVIDER: &str = "provider";
/// kubeConfig.configMapRef: the provider's name of the cluster.
pub const KUBECONFIG_CLUSTER: &str = "cluster";
/// kubeConfig.configMapRef: address of the API server.
pub const KUBECONFIG_ADDRESS: &str = "address";
/// kubeConfig.configMapRef: audiences of the token.
pub const KUBECONFIG_AUDIENCES: &str = "audiences";
/// kubeConfig.configMapRef: service account whose identity is used.
pub const KUBECONFIG_SERVICE_ACCOUNT_NAME: &str = "serviceAccountName";
