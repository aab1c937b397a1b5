//! People and what is theirs.
