use std::time::Duration;

/// Why there is no answer. The texts are fit for whoever gave the address: they tell nothing about the network behind it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none that is called.
    #[error("this address cannot be called: {0}")]
    Address(&'static str),
    /// The host is not on the public internet, and its network is not allowed.
    #[error("{host} is not on the public internet; if it is yours, add its network to outbound.allow")]
    NotAllowed {
        /// As the address names it.
        host: String,
    },
    /// The name means no address.
    #[error("the host name is unknown: {host}")]
    Unknown {
        /// As the address names it.
        host: String,
    },
    /// Nobody takes the connection.
    #[error("cannot connect to {host}: {fault}")]
    Connect {
        /// As the address names it.
        host: String,
        /// What the system said.
        fault: std::io::Error,
    },
    /// The certificate is not trusted, or TLS fails otherwise.
    #[error("no secure connection to {host}: {fault}")]
    Tls {
        /// As the address names it.
        host: String,
        /// What is wrong.
        fault: std::io::Error,
    },
    /// The peer does not speak HTTP, or broke off.
    #[error("{host} gave no proper HTTP answer: {fault}")]
    Http {
        /// As the address names it.
        host: String,
        /// What is wrong.
        fault: hyper::Error,
    },
    /// The answer's body is over the limit.
    #[error("the answer is larger than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// A redirect leads on, but no more are followed.
    #[error("too many redirects")]
    TooManyRedirects,
    /// A redirect leads where the request must not go.
    #[error("a redirect is not followed: {0}")]
    Redirect(&'static str),
    /// The answer was not there in time.
    #[error("no answer within {after:?}")]
    Timeout {
        /// How long it was waited for.
        after: Duration,
    },
}
