//! Every table, in an order in which a row's parents come before it. A test compares it with both engines.

use Type::{Boolean, Bytes, Integer, Json, Text};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// JSON.
    Json,
    /// Bytes.
    Bytes,
}

/// One table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the order in which a row is written.
    pub columns: &'static [(&'static str, Type)],
}

/// All tables but the migrations' own.
#[rustfmt::skip]
pub const TABLES: &[Table] = &[
    Table { name: "organisations", columns: &[("id", Text), ("name", Text), ("created_at", Integer), ("deleted_at", Integer)] },
    Table { name: "environments", columns: &[("id", Text), ("organisation_id", Text), ("name", Text), ("created_at", Integer), ("deleted_at", Integer)] },
    Table { name: "settings", columns: &[("name", Text), ("value", Json), ("sealed", Bytes), ("updated_at", Integer), ("updated_by", Text)] },
    Table { name: "users", columns: &[("id", Text), ("email", Text), ("email_key", Text), ("email_verified_at", Integer), ("name", Text), ("password_hash", Text), ("locale", Text), ("creator_requested_at", Integer), ("suspended_at", Integer), ("suspended_reason", Text), ("created_at", Integer), ("updated_at", Integer), ("signed_in_at", Integer), ("erased_at", Integer)] },
    Table { name: "role_bindings", columns: &[("id", Text), ("subject_id", Text), ("role", Text), ("scope", Text), ("scope_id", Text), ("created_at", Integer), ("created_by", Text)] },
    Table { name: "sessions", columns: &[("id", Text), ("digest", Bytes), ("user_id", Text), ("method", Text), ("user_agent", Text), ("address", Text), ("created_at", Integer), ("seen_at", Integer), ("fresh_at", Integer), ("expires_at", Integer), ("revoked_at", Integer)] },
    Table { name: "known_devices", columns: &[("digest", Bytes), ("user_id", Text), ("created_at", Integer), ("seen_at", Integer)] },
    Table { name: "passkeys", columns: &[("id", Text), ("user_id", Text), ("credential_id", Bytes), ("name", Text), ("credential", Text), ("created_at", Integer), ("used_at", Integer)] },
    Table { name: "authenticators", columns: &[("user_id", Text), ("secret", Bytes), ("confirmed_at", Integer), ("step", Integer), ("created_at", Integer)] },
    Table { name: "recovery_codes", columns: &[("user_id", Text), ("digest", Bytes), ("used_at", Integer)] },
    Table { name: "identity_providers", columns: &[("id", Text), ("slug", Text), ("name", Text), ("issuer", Text), ("client_id", Text), ("client_secret", Bytes), ("sign_up", Boolean), ("enabled", Boolean), ("created_at", Integer), ("updated_at", Integer)] },
    Table { name: "identities", columns: &[("id", Text), ("user_id", Text), ("provider_id", Text), ("issuer", Text), ("subject", Text), ("email", Text), ("created_at", Integer), ("used_at", Integer)] },
    Table { name: "links", columns: &[("id", Text), ("kind", Text), ("digest", Bytes), ("sealed", Bytes), ("user_id", Text), ("email", Text), ("detail", Json), ("created_by", Text), ("created_at", Integer), ("expires_at", Integer), ("used_at", Integer), ("used_by", Text)] },
    Table { name: "challenges", columns: &[("digest", Bytes), ("kind", Text), ("user_id", Text), ("sealed", Bytes), ("attempts", Integer), ("created_at", Integer), ("expires_at", Integer)] },
    Table { name: "tokens", columns: &[("id", Text), ("environment_id", Text), ("user_id", Text), ("name", Text), ("digest", Bytes), ("scopes", Json), ("created_at", Integer), ("expires_at", Integer), ("used_at", Integer), ("revoked_at", Integer)] },
    Table { name: "images", columns: &[("id", Text), ("environment_id", Text), ("content_type", Text), ("bytes", Bytes), ("created_by", Text), ("created_at", Integer)] },
    Table { name: "channels", columns: &[("id", Text), ("environment_id", Text), ("owner_id", Text), ("handle", Text), ("title", Text), ("description", Text), ("category", Text), ("tags", Json), ("language", Text), ("avatar_id", Text), ("banner_id", Text), ("mature", Boolean), ("visibility", Text), ("stream_id", Text), ("created_at", Integer), ("updated_at", Integer), ("deleted_at", Integer)] },
    Table { name: "former_handles", columns: &[("handle", Text), ("channel_id", Text), ("until", Integer)] },
    Table { name: "streams", columns: &[("id", Text), ("environment_id", Text), ("owner_id", Text), ("channel_id", Text), ("title", Text), ("settings", Json), ("disabled_at", Integer), ("created_at", Integer), ("updated_at", Integer), ("deleted_at", Integer)] },
    Table { name: "playback_ids", columns: &[("id", Text), ("environment_id", Text), ("stream_id", Text), ("policy", Text), ("created_at", Integer), ("revoked_at", Integer)] },
    Table { name: "stream_keys", columns: &[("id", Text), ("environment_id", Text), ("stream_id", Text), ("name", Text), ("is_primary", Boolean), ("sealed", Bytes), ("lookup", Bytes), ("created_by", Text), ("created_at", Integer), ("expires_at", Integer), ("used_at", Integer), ("revoked_at", Integer)] },
    Table { name: "broadcasts", columns: &[("id", Text), ("environment_id", Text), ("stream_id", Text), ("started_at", Integer), ("ended_at", Integer), ("end_reason", Text)] },
    Table { name: "stream_events", columns: &[("id", Text), ("environment_id", Text), ("stream_id", Text), ("broadcast_id", Text), ("kind", Text), ("detail", Json), ("at", Integer)] },
    Table { name: "source_health", columns: &[("broadcast_id", Text), ("minute", Integer), ("samples", Json)] },
    Table { name: "audit", columns: &[("id", Text), ("at", Integer), ("environment_id", Text), ("actor_id", Text), ("actor_kind", Text), ("action", Text), ("target_kind", Text), ("target_id", Text), ("address", Text), ("detail", Json)] },
    Table { name: "idempotency", columns: &[("actor_id", Text), ("key", Text), ("request", Bytes), ("status", Integer), ("body", Bytes), ("created_at", Integer)] },
];
