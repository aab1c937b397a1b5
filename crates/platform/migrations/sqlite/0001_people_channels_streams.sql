-- Times are unix microseconds, lengths of time are seconds where the column says so. A public id carries 128 random bits. A row that is
-- deleted stays as a tombstone where others refer to it.

create table organisations (
    id text primary key,
    name text not null,
    created_at integer not null,
    deleted_at integer
) strict;

create table environments (
    id text primary key,
    organisation_id text not null references organisations (id),
    name text not null,
    created_at integer not null,
    deleted_at integer
) strict;

-- What the operator set in the running server; a value that is secret is sealed.
create table settings (
    name text primary key,
    value text,
    sealed blob,
    updated_at integer not null,
    updated_by text
) strict;

-- A person. `email_key` is the address in the form that is compared; an erased person has none.
create table users (
    id text primary key,
    email text,
    email_key text unique,
    email_verified_at integer,
    name text not null,
    password_hash text,
    locale text not null,
    creator_requested_at integer,
    suspended_at integer,
    suspended_reason text,
    created_at integer not null,
    updated_at integer not null,
    signed_in_at integer,
    erased_at integer
) strict;
create index users_by_creation on users (created_at, id);
create index users_by_creator_request on users (creator_requested_at) where creator_requested_at is not null;

-- Who (`subject_id`, a user) is what (`role`) where (`scope`: server, organisation or channel).
create table role_bindings (
    id text primary key,
    subject_id text not null references users (id),
    role text not null,
    scope text not null,
    scope_id text not null,
    created_at integer not null,
    created_by text,
    unique (subject_id, role, scope, scope_id)
) strict;
create index role_bindings_by_scope on role_bindings (scope, scope_id, role);

create table sessions (
    id text primary key,
    digest blob not null unique,
    user_id text not null references users (id),
    method text not null,
    user_agent text not null,
    address text not null,
    created_at integer not null,
    seen_at integer not null,
    fresh_at integer not null,
    expires_at integer not null,
    revoked_at integer
) strict;
create index sessions_by_user on sessions (user_id, created_at);
create index sessions_by_expiry on sessions (expires_at);

-- A browser that has signed in before: an attack on the account does not lock it out.
create table known_devices (
    digest blob primary key,
    user_id text not null references users (id),
    created_at integer not null,
    seen_at integer not null
) strict;
create index known_devices_by_user on known_devices (user_id);

create table passkeys (
    id text primary key,
    user_id text not null references users (id),
    credential_id blob not null unique,
    name text not null,
    credential text not null,
    created_at integer not null,
    used_at integer
) strict;
create index passkeys_by_user on passkeys (user_id);

-- TOTP: `confirmed_at` is null until the first code was right; `step` is the newest that was used.
create table authenticators (
    user_id text primary key references users (id),
    secret blob not null,
    confirmed_at integer,
    step integer not null,
    created_at integer not null
) strict;

create table recovery_codes (
    user_id text not null references users (id),
    digest blob not null,
    used_at integer,
    primary key (user_id, digest)
) strict;

create table identity_providers (
    id text primary key,
    slug text not null unique,
    name text not null,
    issuer text not null,
    client_id text not null,
    client_secret blob,
    sign_up integer not null,
    enabled integer not null,
    created_at integer not null,
    updated_at integer not null
) strict;

create table identities (
    id text primary key,
    user_id text not null references users (id),
    provider_id text not null references identity_providers (id),
    issuer text not null,
    subject text not null,
    email text,
    created_at integer not null,
    used_at integer,
    unique (issuer, subject)
) strict;
create index identities_by_user on identities (user_id);

-- A secret that is sent to somebody and used once: `kind` is setup, verify, reset, invite or email. `sealed` lets an administrator pass
-- it on where the server sends no mail.
create table links (
    id text primary key,
    kind text not null,
    digest blob not null unique,
    sealed blob not null,
    user_id text references users (id),
    email text,
    detail text not null,
    created_by text,
    created_at integer not null,
    expires_at integer not null,
    used_at integer,
    used_by text
) strict;
create index links_by_kind on links (kind, created_at);
create index links_by_user on links (user_id, kind);
create index links_by_expiry on links (expires_at);

-- A sign-in or registration that is half done: `kind` is factor, passkey, oidc, …; the holder shows the secret of `digest`.
create table challenges (
    digest blob primary key,
    kind text not null,
    user_id text references users (id),
    sealed blob not null,
    attempts integer not null,
    created_at integer not null,
    expires_at integer not null
) strict;
create index challenges_by_expiry on challenges (expires_at);

-- Personal API tokens.
create table tokens (
    id text primary key,
    environment_id text not null references environments (id),
    user_id text not null references users (id),
    name text not null,
    digest blob not null unique,
    scopes text not null,
    created_at integer not null,
    expires_at integer,
    used_at integer,
    revoked_at integer
) strict;
create index tokens_by_user on tokens (user_id, created_at);

create table images (
    id text primary key,
    environment_id text not null references environments (id),
    content_type text not null,
    bytes blob not null,
    created_by text not null,
    created_at integer not null
) strict;

create table channels (
    id text primary key,
    environment_id text not null references environments (id),
    owner_id text not null references users (id),
    handle text not null,
    title text not null,
    description text not null,
    category text not null,
    tags text not null,
    language text not null,
    avatar_id text references images (id),
    banner_id text references images (id),
    mature integer not null,
    visibility text not null,
    stream_id text,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer
) strict;
create unique index channels_by_handle on channels (handle) where deleted_at is null;
create index channels_by_owner on channels (owner_id, created_at);
create index channels_by_creation on channels (created_at, id);

-- Names that a channel gave up: they lead to it until `until`, and nobody else may take them before.
create table former_handles (
    handle text primary key,
    channel_id text not null references channels (id),
    until integer not null
) strict;

create table streams (
    id text primary key,
    environment_id text not null references environments (id),
    owner_id text not null references users (id),
    channel_id text references channels (id),
    title text not null,
    settings text not null,
    disabled_at integer,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer
) strict;
create index streams_by_owner on streams (owner_id, created_at, id);
create index streams_by_channel on streams (channel_id);

create table playback_ids (
    id text primary key,
    environment_id text not null references environments (id),
    stream_id text not null references streams (id),
    policy text not null,
    created_at integer not null,
    revoked_at integer
) strict;
create index playback_ids_by_stream on playback_ids (stream_id);

-- `lookup` is an HMAC of the key under the key ring: it finds the row without opening any.
create table stream_keys (
    id text primary key,
    environment_id text not null references environments (id),
    stream_id text not null references streams (id),
    name text not null,
    is_primary integer not null,
    sealed blob not null,
    lookup blob not null unique,
    created_by text,
    created_at integer not null,
    expires_at integer,
    used_at integer,
    revoked_at integer
) strict;
create index stream_keys_by_stream on stream_keys (stream_id, created_at);

-- One run of a stream. The id is the hub's.
create table broadcasts (
    id text primary key,
    environment_id text not null references environments (id),
    stream_id text not null references streams (id),
    started_at integer not null,
    ended_at integer,
    end_reason text
) strict;
create index broadcasts_by_stream on broadcasts (stream_id, started_at, id);
create index broadcasts_open on broadcasts (started_at) where ended_at is null;

-- What happened to a stream, in the words that its owner reads.
create table stream_events (
    id text primary key,
    environment_id text not null references environments (id),
    stream_id text not null references streams (id),
    broadcast_id text,
    kind text not null,
    detail text not null,
    at integer not null
) strict;
create index stream_events_by_stream on stream_events (stream_id, at, id);
create index stream_events_by_time on stream_events (at);

-- A minute of a source's health: `samples` is one entry a second.
create table source_health (
    broadcast_id text not null references broadcasts (id),
    minute integer not null,
    samples text not null,
    primary key (broadcast_id, minute)
) strict;
create index source_health_by_minute on source_health (minute);

-- Only ever appended to; retention removes what is old.
create table audit (
    id text primary key,
    at integer not null,
    environment_id text,
    actor_id text,
    actor_kind text not null,
    action text not null,
    target_kind text not null,
    target_id text not null,
    address text not null,
    detail text not null
) strict;
create index audit_by_time on audit (at, id);
create index audit_by_actor on audit (actor_id, at);
create trigger audit_is_append_only before update on audit begin
    select raise(abort, 'the audit log is only appended to');
end;

-- The answer to a creation, kept a day: the same key gets the same answer.
create table idempotency (
    actor_id text not null,
    key text not null,
    request blob not null,
    status integer not null,
    body blob,
    created_at integer not null,
    primary key (actor_id, key)
) strict;
create index idempotency_by_creation on idempotency (created_at);
