/** What the server's API says, by the names the pages use: generated from its document (`npm run types`). */
import type { components } from './schema';

type Schemas = components['schemas'];

/** What the server answers holds every field: those that the document does not require may be null. */
type Whole<T> = T extends (infer U)[] ? Whole<U>[] : T extends object ? { [K in keyof T]-?: Whole<T[K]> } : T;

type Answer<Name extends keyof Schemas> = Whole<Schemas[Name]>;

export interface Page<T> {
	items: T[];
	next_cursor: string | null;
}

export type Server = Answer<'Server'>;
export type Provider = Answer<'Provider'>;
export type RoleName = Answer<'Role'>;
export type Role = Answer<'Binding'>;
/** Whoever is signed in has an address. */
export type Me = Omit<Answer<'Me'>, 'email'> & { email: string };
export type Invitation = Answer<'Invitation'>;
export type SessionEntry = Answer<'SessionItem'>;
export type Passkey = Answer<'Passkey'>;
export type AddedPasskey = Answer<'AddedPasskey'>;
export type Identity = Answer<'Identity'>;
export type Scope = Answer<'TokenScope'>;
export type Token = Answer<'Token'>;
export type SetupFacts = Answer<'Facts'>;
export type SignUpAnswer = Answer<'SignUpAnswer'>;
export type Visibility = Answer<'Visibility'>;
export type Channel = Answer<'Channel'>;
export type MemberRole = Answer<'MemberRole'>;
export type ChannelMember = Answer<'Member'>;
export type StreamSettings = Answer<'StreamSettings'>;
export type LiveSource = Answer<'Live'>;
export type Refusal = Answer<'Refusal'>;
export type Stream = Answer<'Stream'>;
export type StreamKey = Answer<'Key'>;
export type StreamEvent = Omit<Answer<'Event'>, 'detail'> & { detail: Record<string, unknown> };
export type Broadcast = Answer<'Broadcast'>;
export type HealthSample = Answer<'HealthSample'>;
export type StreamStatus = Answer<'Status'>;
export type StreamLadder = Answer<'StreamLadder'>;
export type LadderRung = Answer<'LadderRung'>;
export type LadderStatus = Answer<'LadderStatus'>;
export type RungStatus = Answer<'RungStatus'>;
export type PlannedRung = Answer<'PlannedRung'>;
export type LadderPreview = Answer<'Foreseen'>;
export type Transcoding = Answer<'Transcoding'>;
export type TranscodingJob = Answer<'TranscodingJob'>;
export type AdminUser = Answer<'Person'>;
export type AdminInvitation = Answer<'PendingInvitation'>;
export type AdminLink = Answer<'PendingLink'>;
export type AdminLive = Answer<'Running'>;
export type AuditEntry = Omit<Answer<'Entry'>, 'detail'> & { detail: Record<string, unknown> | null };
export type AdminSettings = Answer<'Shown'>;
export type AdminProvider = Answer<'IdentityProvider'>;
export type MailSettings = Schemas['NewMail'];

/** A sign-in that waits for its second factor. */
export interface FactorStep {
	state: 'factor';
	challenge: string;
	methods: ('totp' | 'recovery' | 'passkey')[];
}

export type SignInAnswer = { state: 'signed_in'; user: Me } | FactorStep;

/** The options are the browser's own, as JSON. */
export interface PasskeyChallenge<O> {
	challenge: string;
	options: O;
}
