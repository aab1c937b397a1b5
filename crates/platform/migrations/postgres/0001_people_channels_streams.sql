-- Times are unix microseconds, lengths of time are seconds where the column says so. A public id carries 128 random bits. A row that is
-- deleted stays as a tombstone where others refer to it.

create table organisations (
    id text collate "C" primary key,
    name text collate "C" not null,
    created_at bigint not null,
    deleted_at bigint
);

create table environments (
    id text collate "C" primary key,
    organisation_id text collate "C" not null references organisations (id),
    name text collate "C" not null,
    created_at bigint not null,
    deleted_at bigint
);

-- What the operator set in the running server; a value that is secret is sealed.
create table settings (
    name text collate "C" primary key,
    value jsonb,
    sealed bytea,
    updated_at bigint not null,
    updated_by text collate "C"
);

-- A person. `email_key` is the address in the form that is compared; an erased person has none.
create table users (
    id text collate "C" primary key,
    email text collate "C",
    email_key text collate "C" unique,
    email_verified_at bigint,
    name text collate "C" not null,
    password_hash text collate "C",
    locale text collate "C" not null,
    creator_requested_at bigint,
    suspended_at bigint,
    suspended_reason text collate "C",
    created_at bigint not null,
    updated_at bigint not null,
    signed_in_at bigint,
    erased_at bigint
);
create index users_by_creation on users (created_at, id);
create index users_by_creator_request on users (creator_requested_at) where creator_requested_at is not null;

-- Who (`subject_id`, a user) is what (`role`) where (`scope`: server, organisation or channel).
create table role_bindings (
    id text collate "C" primary key,
    subject_id text collate "C" not null references users (id),
    role text collate "C" not null,
    scope text collate "C" not null,
    scope_id text collate "C" not null,
    created_at bigint not null,
    created_by text collate "C",
    unique (subject_id, role, scope, scope_id)
);
create index role_bindings_by_scope on role_bindings (scope, scope_id, role);

create table sessions (
    id text collate "C" primary key,
    digest bytea not null unique,
    user_id text collate "C" not null references users (id),
    method text collate "C" not null,
    user_agent text collate "C" not null,
    address text collate "C" not null,
    created_at bigint not null,
    seen_at bigint not null,
    fresh_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint
);
create index sessions_by_user on sessions (user_id, created_at);
create index sessions_by_expiry on sessions (expires_at);

-- A browser that has signed in before: an attack on the account does not lock it out.
create table known_devices (
    digest bytea primary key,
    user_id text collate "C" not null references users (id),
    created_at bigint not null,
    seen_at bigint not null
);
create index known_devices_by_user on known_devices (user_id);

create table passkeys (
    id text collate "C" primary key,
    user_id text collate "C" not null references users (id),
    credential_id bytea not null unique,
    name text collate "C" not null,
    credential text collate "C" not null,
    created_at bigint not null,
    used_at bigint
);
create index passkeys_by_user on passkeys (user_id);

-- TOTP: `confirmed_at` is null until the first code was right; `step` is the newest that was used.
create table authenticators (
    user_id text collate "C" primary key references users (id),
    secret bytea not null,
    confirmed_at bigint,
    step bigint not null,
    created_at bigint not null
);

create table recovery_codes (
    user_id text collate "C" not null references users (id),
    digest bytea not null,
    used_at bigint,
    primary key (user_id, digest)
);

create table identity_providers (
    id text collate "C" primary key,
    slug text collate "C" not null unique,
    name text collate "C" not null,
    issuer text collate "C" not null,
    client_id text collate "C" not null,
    client_secret bytea,
    sign_up boolean not null,
    enabled boolean not null,
    created_at bigint not null,
    updated_at bigint not null
);

create table identities (
    id text collate "C" primary key,
    user_id text collate "C" not null references users (id),
    provider_id text collate "C" not null references identity_providers (id),
    issuer text collate "C" not null,
    subject text collate "C" not null,
    email text collate "C",
    created_at bigint not null,
    used_at bigint,
    unique (issuer, subject)
);
create index identities_by_user on identities (user_id);

-- A secret that is sent to somebody and used once: `kind` is setup, verify, reset, invite or email. `sealed` lets an administrator pass
-- it on where the server sends no mail.
create table links (
    id text collate "C" primary key,
    kind text collate "C" not null,
    digest bytea not null unique,
    sealed bytea not null,
    user_id text collate "C" references users (id),
    email text collate "C",
    detail jsonb not null,
    created_by text collate "C",
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint,
    used_by text collate "C"
);
create index links_by_kind on links (kind, created_at);
create index links_by_user on links (user_id, kind);
create index links_by_expiry on links (expires_at);

-- A sign-in or registration that is half done: `kind` is factor, passkey, oidc, …; the holder shows the secret of `digest`.
create table challenges (
    digest bytea primary key,
    kind text collate "C" not null,
    user_id text collate "C" references users (id),
    sealed bytea not null,
    attempts bigint not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index challenges_by_expiry on challenges (expires_at);

-- Personal API tokens.
create table tokens (
    id text collate "C" primary key,
    environment_id text collate "C" not null references environments (id),
    user_id text collate "C" not null references users (id),
    name text collate "C" not null,
    digest bytea not null unique,
    scopes jsonb not null,
    created_at bigint not null,
    expires_at bigint,
    used_at bigint,
    revoked_at bigint
);
create index tokens_by_user on tokens (user_id, created_at);

create table images (
    id text collate "C" primary key,
    environment_id text collate "C" not null references environments (id),
    content_type text collate "C" not null,
    bytes bytea not null,
    created_by text collate "C" not null,
    created_at bigint not null
);

create table channels (
    id text collate "C" primary key,
    environment_id text collate "C" not null references environments (id),
    owner_id text collate "C" not null references users (id),
    handle text collate "C" not null,
    title text collate "C" not null,
    description text collate "C" not null,
    category text collate "C" not null,
    tags jsonb not null,
    language text collate "C" not null,
    avatar_id text collate "C" references images (id),
    banner_id text collate "C" references images (id),
    mature boolean not null,
    visibility text collate "C" not null,
    stream_id text collate "C",
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint
);
create unique index channels_by_handle on channels (handle) where deleted_at is null;
create index channels_by_owner on channels (owner_id, created_at);
create index channels_by_creation on channels (created_at, id);

-- Names that a channel gave up: they lead to it until `until`, and nobody else may take them before.
create table former_handles (
    handle text collate "C" primary key,
    channel_id text collate "C" not null references channels (id),
    until bigint not null
);

create table streams (
    id text collate "C" primary key,
    environment_id text collate "C" not null references environments (id),
    owner_id text collate "C" not null references users (id),
    channel_id text collate "C" references channels (id),
    title text collate "C" not null,
    settings jsonb not null,
    disabled_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint
);
create index streams_by_owner on streams (owner_id, created_at, id);
create index streams_by_channel on streams (channel_id);

create table playback_ids (
    id text collate "C" primary key,
    environment_id text collate "C" not null references environments (id),
    stream_id text collate "C" not null references streams (id),
    policy text collate "C" not null,
    created_at bigint not null,
    revoked_at bigint
);
create index playback_ids_by_stream on playback_ids (stream_id);

-- `lookup` is an HMAC of the key under the key ring: it finds the row without opening any.
create table stream_keys (
    id text collate "C" primary key,
    environment_id text collate "C" not null references environments (id),
    stream_id text collate "C" not null references streams (id),
    name text collate "C" not null,
    is_primary boolean not null,
    sealed bytea not null,
    lookup bytea not null unique,
    created_by text collate "C",
    created_at bigint not null,
    expires_at bigint,
    used_at bigint,
    revoked_at bigint
);
create index stream_keys_by_stream on stream_keys (stream_id, created_at);

-- One run of a stream. The id is the hub's.
create table broadcasts (
    id text collate "C" primary key,
    environment_id text collate "C" not null references environments (id),
    stream_id text collate "C" not null references streams (id),
    started_at bigint not null,
    ended_at bigint,
    end_reason text collate "C"
);
create index broadcasts_by_stream on broadcasts (stream_id, started_at, id);
create index broadcasts_open on broadcasts (started_at) where ended_at is null;

-- What happened to a stream, in the words that its owner reads.
create table stream_events (
    id text collate "C" primary key,
    environment_id text collate "C" not null references environments (id),
    stream_id text collate "C" not null references streams (id),
    broadcast_id text collate "C",
    kind text collate "C" not null,
    detail jsonb not null,
    at bigint not null
);
create index stream_events_by_stream on stream_events (stream_id, at, id);
create index stream_events_by_time on stream_events (at);

-- A minute of a source's health: `samples` is one entry a second.
create table source_health (
    broadcast_id text collate "C" not null references broadcasts (id),
    minute bigint not null,
    samples jsonb not null,
    primary key (broadcast_id, minute)
);
create index source_health_by_minute on source_health (minute);

-- Only ever appended to; retention removes what is old.
create table audit (
    id text collate "C" primary key,
    at bigint not null,
    environment_id text collate "C",
    actor_id text collate "C",
    actor_kind text collate "C" not null,
    action text collate "C" not null,
    target_kind text collate "C" not null,
    target_id text collate "C" not null,
    address text collate "C" not null,
    detail jsonb not null
);
create index audit_by_time on audit (at, id);
create index audit_by_actor on audit (actor_id, at);
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only appended to';
end
$$;
create trigger audit_is_append_only before update on audit for each row execute function audit_is_append_only();

-- The answer to a creation, kept a day: the same key gets the same answer.
create table idempotency (
    actor_id text collate "C" not null,
    key text collate "C" not null,
    request bytea not null,
    status bigint not null,
    body bytea,
    created_at bigint not null,
    primary key (actor_id, key)
);
create index idempotency_by_creation on idempotency (created_at);
