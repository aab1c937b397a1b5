//! Recovery codes: each takes the second step of a sign-in once, for when the app or the passkey is lost.

use crate::clock::Time;
use crate::id::Id;
use crate::run;
use crate::secret::{Digest, Secret, random};
use crate::store::{self, Conn};

/// Codes that a person gets at once.
pub const COUNT: usize = 10;
/// Random bytes of a code: 80 bits, 16 characters.
const BYTES: usize = 10;
/// Characters between two dashes.
const GROUP: usize = 4;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Gives a person new codes; those before hold no more. They are shown now and kept as digests.
///
/// # Errors
/// Those of the database.
pub async fn replace(conn: &mut Conn<'_>, user: &Id) -> store::Result<Vec<Secret>> {
    remove(conn, user).await?;
    let codes: Vec<String> = (0..COUNT).map(|_| code()).collect();
    for code in &codes {
        run!(
            conn,
            "insert into recovery_codes (user_id, digest) values ($1, $2)",
            user,
            Digest::of(code.as_bytes())
        )?;
    }
    Ok(codes.iter().map(|code| Secret::new(grouped(code))).collect())
}

/// Uses up a code, written as [`plain`](super::factors) text; says whether it was one.
///
/// # Errors
/// Those of the database.
pub(super) async fn accept(conn: &mut Conn<'_>, user: &Id, code: &str, now: Time) -> store::Result<bool> {
    let used = run!(
        conn,
        "update recovery_codes set used_at = $1 where user_id = $2 and digest = $3 and used_at is null",
        now,
        user,
        Digest::of(code.as_bytes())
    )?;
    Ok(used > 0)
}

/// Takes all codes of a person away.
///
/// # Errors
/// Those of the database.
pub async fn remove(conn: &mut Conn<'_>, user: &Id) -> store::Result<()> {
    run!(conn, "delete from recovery_codes where user_id = $1", user).map(drop)
}

/// 16 characters of base32 (RFC 4648 §6), in small letters.
fn code() -> String {
    let bits = random::<BYTES>()
        .iter()
        .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    (0..BYTES * 8 / 5)
        .map(|place| char::from(ALPHABET[((bits >> (5 * place)) & 31) as usize]))
        .collect()
}

fn grouped(code: &str) -> String {
    let groups: Vec<&str> = (0..code.len())
        .step_by(GROUP)
        .map(|at| &code[at..(at + GROUP).min(code.len())])
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_four_groups_of_four() {
        let code = code();
        assert_eq!(code.len(), 16);
        assert_eq!(super::super::factors::plain(&grouped(&code)), code);
        assert_eq!(grouped("abcdefghijklmnop"), "abcd-efgh-ijkl-mnop");
    }
}
