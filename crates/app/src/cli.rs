//! The commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Headwater: a live streaming platform in one binary.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the platform.
    Serve(Options),
    /// Run it on this machine alone, with a moving test picture and a tone live as "colors".
    Demo(Options),
    /// Check ports, ffmpeg, the data folder, the clock and certificates, and say what to do.
    Doctor(Options),
    /// Print the one-time address at which a new server is set up, again.
    SetupLink(Options),
    /// Make accounts.
    User {
        #[command(subcommand)]
        action: UserAction,
    },
    /// Make, list and revoke API tokens.
    Token {
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Make, list and revoke stream keys.
    Key {
        #[command(subcommand)]
        action: KeyAction,
    },
    /// Save the database to a file, also while the server runs.
    Backup(Backup),
    /// Put a saved database back. Stop the server first.
    Restore(Restore),
    /// Work on the database itself.
    Database {
        #[command(subcommand)]
        action: DatabaseAction,
    },
    /// Renew the keys that seal secrets in the database.
    Keyring {
        #[command(subcommand)]
        action: KeyringAction,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        action: ConfigAction,
    },
}

#[derive(Debug, Subcommand)]
pub enum UserAction {
    /// Make an account; the first one is an owner's
    Create {
        /// Mail address; it counts as verified
        #[arg(long)]
        email: String,
        /// What the person is called
        #[arg(long)]
        name: String,
        /// Role on the whole server
        #[arg(long, value_enum)]
        role: Option<Role>,
        /// Take the password from standard input, as one line, instead of asking for it
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        options: Options,
    },
}

/// A role on the whole server.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Role {
    Viewer,
    Creator,
    Moderator,
    Admin,
    Owner,
}

#[derive(Debug, Subcommand)]
pub enum TokenAction {
    /// Make a token; its secret is printed once
    Create {
        /// Mail address of its person
        #[arg(long)]
        user: String,
        /// What to call it
        #[arg(long)]
        name: String,
        /// What it is good for: read, write, keys, admin; several with commas
        #[arg(long, value_enum, value_delimiter = ',', required = true)]
        scope: Vec<Scope>,
        /// After how many days it ends [default: never]
        #[arg(long, value_name = "DAYS")]
        expires_in: Option<u32>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        options: Options,
    },
    /// List the tokens of a person
    List {
        /// Mail address of their person
        #[arg(long)]
        user: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        options: Options,
    },
    /// Revoke a token: it stops working at once
    Revoke {
        /// Mail address of its person
        #[arg(long)]
        user: String,
        /// The token's id
        id: String,
        #[command(flatten)]
        options: Options,
    },
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Scope {
    Read,
    Write,
    Keys,
    Admin,
}

#[derive(Debug, Subcommand)]
pub enum KeyAction {
    /// Make a stream key; it is printed once
    Create {
        /// Handle of the channel
        #[arg(long)]
        channel: String,
        /// What to call it
        #[arg(long)]
        name: String,
        /// After how many days it ends [default: never]
        #[arg(long, value_name = "DAYS")]
        expires_in: Option<u32>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        options: Options,
    },
    /// List the keys of a channel
    List {
        /// Handle of the channel
        #[arg(long)]
        channel: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        options: Options,
    },
    /// Revoke a key: its live source ends
    Revoke {
        /// Handle of the channel
        #[arg(long)]
        channel: String,
        /// The key's id
        id: String,
        #[command(flatten)]
        options: Options,
    },
}

#[derive(Args, Debug)]
pub struct Backup {
    /// Where to save it; must not exist yet
    pub file: PathBuf,
    /// Put the key ring in too: whoever has the file can then read every secret in it
    #[arg(long)]
    pub with_key_ring: bool,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Args, Debug)]
pub struct Restore {
    /// What `headwater backup` saved
    pub file: PathBuf,
    /// Remove what the database holds now
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Debug, Subcommand)]
pub enum DatabaseAction {
    /// Copy everything into another, empty database: from SQLite to PostgreSQL, or back. Stop the server first.
    Copy {
        /// The other database: postgres://… or sqlite:PATH
        to: String,
        #[command(flatten)]
        options: Options,
    },
}

#[derive(Debug, Subcommand)]
pub enum KeyringAction {
    /// Add a key and seal everything anew with it. The server takes it up by itself.
    Rotate(Options),
    /// Forget the older keys, once nothing needs them.
    Retire(Options),
}

#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Say what is wrong with the configuration, if anything is.
    Check(Options),
    /// Print what is in force and where it comes from.
    Print(Options),
    /// Print the reference manual of every key, as Markdown.
    Docs,
}

#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Configuration file [default: headwater.toml, where present]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for everything that must survive a restart [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Where to serve HTTP [default: 0.0.0.0:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub http: Option<String>,
    /// Where to take and serve RTMP [default: 0.0.0.0:1935]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub rtmp: Option<String>,
}

impl Options {
    /// The flags that stand for keys.
    pub fn flags(&self) -> [(&'static str, Option<String>); 3] {
        [
            ("data.dir", self.data.clone()),
            ("http.listen", self.http.clone()),
            ("rtmp.listen", self.rtmp.clone()),
        ]
    }
}
