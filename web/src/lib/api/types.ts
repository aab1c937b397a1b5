/** What the server's API says, by the names the pages use. Times are RFC 3339 strings. */

export interface Page<T> {
	items: T[];
	next_cursor: string | null;
}

export interface Server {
	name: string;
	description: string;
	setup_done: boolean;
	sign_up: 'open' | 'invite' | 'closed';
	creators: 'all' | 'request' | 'invite';
	mail: boolean;
	admin_contact: string | null;
	/** This request came encrypted, or from the machine itself. */
	secure: boolean;
	passkeys: { available: boolean; reason: string | null };
	providers: Provider[];
	public_url: string | null;
	version: string;
	ingest: { rtmp_url: string | null; rtmps_url: string | null };
}

export interface Provider {
	slug: string;
	name: string;
}

export type RoleName = 'owner' | 'admin' | 'moderator' | 'creator' | 'viewer' | (string & {});

export interface Role {
	role: RoleName;
	scope: 'server' | 'organisation' | 'channel' | (string & {});
	scope_id: string | null;
}

export interface Me {
	id: string;
	email: string;
	email_verified: boolean;
	name: string;
	/** A BCP 47 tag; `en` where nothing was chosen. */
	locale: string;
	roles: Role[];
	creator: 'none' | 'requested' | 'granted';
	quotas: {
		channels: { used: number; max: number };
		streams: { used: number; max: number };
		keys_per_stream: number;
		broadcasts_at_once: number;
	};
	factors: { password: boolean; totp: boolean; passkeys: number; recovery_codes_left: number };
	/** The person's role asks for a second factor that is not there yet. */
	factor_required: boolean;
	fresh: boolean;
	created_at: string;
}

export type SignInAnswer =
	| { state: 'signed_in'; user: Me }
	| { state: 'factor'; challenge: string; methods: ('totp' | 'recovery' | 'passkey')[] };

export interface SignUpAnswer {
	state: 'verify' | 'signed_in';
	/** Whom to ask where the server sends no mail. */
	contact?: string | null;
}

export interface PasskeyChallenge<O> {
	challenge: string;
	options: O;
}

export interface Invitation {
	email: string | null;
	invited_by: string;
	role: string | null;
	server_name: string;
}

export interface SessionEntry {
	id: string;
	current: boolean;
	method: string;
	user_agent: string | null;
	address: string | null;
	created_at: string;
	seen_at: string;
}

export interface Passkey {
	id: string;
	name: string;
	created_at: string;
	used_at: string | null;
}

export interface AddedPasskey extends Passkey {
	/** Codes for the day when it is lost, if it is the first second factor; shown this once. */
	recovery_codes: string[];
}

export interface Identity {
	id: string;
	provider: string;
	email: string | null;
	created_at: string;
}

export type Scope = 'read' | 'write' | 'keys' | 'admin';

export interface Token {
	id: string;
	name: string;
	scopes: Scope[];
	created_at: string;
	expires_at: string | null;
	used_at: string | null;
}

export interface SetupFacts {
	mail_configured: boolean;
	https: { listening: boolean; certificate: 'none' | 'files' | 'acme'; names: string[] };
	suggested_url: string | null;
	public_url_fixed: boolean;
}

export interface MailSettings {
	host: string;
	port: number;
	security: 'tls' | 'starttls' | 'none';
	username: string | null;
	password: string | null;
	from: string;
}

export type Visibility = 'public' | 'unlisted' | 'private';

export interface Channel {
	id: string;
	handle: string;
	title: string;
	description: string | null;
	category: string | null;
	tags: string[];
	language: string | null;
	avatar_url: string | null;
	banner_url: string | null;
	mature: boolean;
	visibility: Visibility;
	owner: { id: string; name: string };
	live: { broadcast_id: string; started_at: string; viewers: number | null; name: string } | null;
	play: { name: string; hls: string; dash: string; still: string } | null;
	/** For those who manage the channel. */
	stream_id?: string | null;
	role: 'owner' | 'admin' | 'moderator' | 'viewer' | null;
	created_at: string;
}

export type MemberRole = 'viewer' | 'moderator' | 'admin';

export interface ChannelMember {
	user: { id: string; name: string };
	role: MemberRole;
	created_at: string;
}

export interface StreamSettings {
	latency: 'low' | 'normal';
	/** How long a lost source may take to come back, in seconds; `null`: as long as the server's configuration says. */
	reconnect_s: number | null;
	takeover: 'replace' | 'refuse';
}

export interface LiveSource {
	broadcast_id: string;
	started_at: string;
	viewers: number | null;
	protocol: string | null;
	width: number | null;
	height: number | null;
	frame_rate: number | null;
	video_codec: string | null;
	audio_codec: string | null;
	/** Bits per second. */
	bitrate: number | null;
}

export interface Refusal {
	at: string;
	reason: string;
}

export interface Stream {
	id: string;
	title: string;
	channel: { id: string; handle: string } | null;
	/** It is the one that its channel shows. */
	main: boolean;
	settings: StreamSettings;
	disabled: boolean;
	state: 'idle' | 'live' | 'waiting';
	playback_ids: { id: string; policy: 'public' | 'private' }[];
	ingest: { rtmp_url: string | null; rtmps_url: string | null };
	live: LiveSource | null;
	last_refusal: Refusal | null;
	created_at: string;
}

export interface StreamKey {
	id: string;
	name: string;
	primary: boolean;
	created_at: string;
	expires_at: string | null;
	used_at: string | null;
	revoked_at: string | null;
}

export interface StreamEvent {
	id: string;
	at: string;
	kind: string;
	broadcast_id: string | null;
	detail: Record<string, unknown>;
	text: string;
}

export interface Broadcast {
	id: string;
	started_at: string;
	ended_at: string | null;
	end_reason: string | null;
}

/** One second of what arrived from a source. */
export interface HealthSample {
	at: string;
	/** Bits per second. */
	bitrate: number | null;
	frame_rate: number | null;
	/** Between the last two key frames; none before the second. */
	keyframe_ms?: number | null;
	/** What waits in the encoder or the network, in milliseconds. */
	backlog_ms?: number | null;
	/** How often the source's time stamps jumped since it connected. */
	timestamp_jumps?: number | null;
}

export interface StreamStatus {
	state: Stream['state'];
	disabled: boolean;
	live: LiveSource | null;
	last_refusal: Refusal | null;
	health: HealthSample | null;
	advice: { code: string; text: string }[];
}

export interface AdminUser {
	id: string;
	/** None of a person who was erased. */
	email: string | null;
	email_verified: boolean;
	name: string;
	roles: Role[];
	creator: Me['creator'];
	suspended_at: string | null;
	suspended_reason: string | null;
	created_at: string;
	signed_in_at: string | null;
}

export interface AdminInvitation {
	id: string;
	email: string | null;
	role: string | null;
	created_at: string;
	expires_at: string;
}

export interface AdminLink {
	id: string;
	kind: 'verify' | 'reset' | 'email' | (string & {});
	user: { id: string; name: string };
	email: string;
	url: string;
	expires_at: string;
}

export interface AdminLive {
	broadcast_id: string;
	/** By which it can be watched; `null` where nothing leads to it. */
	name: string | null;
	title: string | null;
	stream_id: string | null;
	channel: { id: string; handle: string } | null;
	owner: { id: string; name: string } | null;
	protocol: string | null;
	peer: string | null;
	started_at: string;
	viewers: number | null;
	width: number | null;
	height: number | null;
	bitrate: number | null;
	state: string;
}

export interface AuditEntry {
	id: string;
	at: string;
	actor: { id: string | null; name: string | null; kind: string };
	action: string;
	target: { kind: string; id: string | null } | null;
	address: string | null;
	detail: Record<string, unknown> | null;
}

/** What can be set in the running server. */
export interface AdminSettings {
	name: string;
	description: string;
	public_url: string | null;
	admin_contact: string | null;
	sign_up: Server['sign_up'];
	creators: Server['creators'];
	verify_email: boolean;
	required_factor_roles: RoleName[];
	quotas: { channels: number; streams: number; keys_per_stream: number; broadcasts_at_once: number };
	retention: { events_days: number; health_days: number; audit_days: number };
	/** The password is never told. */
	mail: Omit<MailSettings, 'password'> | null;
	/** Names of settings that the configuration file decides. */
	fixed_by_config: string[];
}

export interface AdminProvider {
	id: string;
	slug: string;
	name: string;
	issuer: string;
	client_id: string;
	sign_up: boolean;
	enabled: boolean;
	has_secret: boolean;
	/** `null` where the server does not know its own address. */
	redirect_uri: string | null;
	created_at: string;
}
