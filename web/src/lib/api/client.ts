/** Asks `/api/v1`: JSON in, JSON out, problems thrown as `ApiError`. */
import { ApiError } from './problem';

export interface Options {
	/** Values that are undefined, null or empty are left out. */
	query?: Record<string, string | number | boolean | null | undefined>;
	signal?: AbortSignal;
	/** A 401 is an answer here, not a reason to lead to the sign-in page. */
	anonymous?: boolean;
}

/** What the page does when the server asks for a person. Set once by the app's layout. */
export const hooks = {
	/** Asks the person to confirm who they are; true when they did. */
	confirm: async (): Promise<boolean> => false,
	/** Nobody is signed in any more. */
	signedOut: (): void => {}
};

const TRIES = 3;
const RETRY_AFTER_MAX_S = 10;

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export const api = {
	get: <T>(path: string, options?: Options) => send<T>('GET', path, undefined, options),
	post: <T = void>(path: string, body: unknown = {}, options?: Options) =>
		send<T>('POST', path, body, options),
	/** A POST that makes something: repeated safely, by its key, when the server is away for a moment. */
	create: <T>(path: string, body: unknown = {}, options?: Options) =>
		send<T>('POST', path, body, options, key()),
	patch: <T = void>(path: string, body: unknown, options?: Options) => send<T>('PATCH', path, body, options),
	/** `body` may be a file, which is sent as it is. */
	put: <T = void>(path: string, body: unknown, options?: Options) => send<T>('PUT', path, body, options),
	del: <T = void>(path: string, body?: unknown, options?: Options) => send<T>('DELETE', path, body, options)
};

async function send<T>(
	method: Method,
	path: string,
	body: unknown,
	options: Options = {},
	idempotency?: string
): Promise<T> {
	const request = init(method, body, options, idempotency);
	const url = address(path, options.query);
	const repeatable = method === 'GET' || idempotency !== undefined;
	let response = await attempt(url, request, repeatable ? TRIES : 1);
	if (!response.ok) {
		const problem = await ApiError.from(response);
		if (problem.code !== 'fresh_sign_in_required' || !(await hooks.confirm()))
			throw signedOut(problem, options);
		response = await attempt(url, request, 1);
		if (!response.ok) throw signedOut(await ApiError.from(response), options);
	}
	// 204, and some that only say "accepted", have no body.
	const text = await response.text();
	return (text === '' ? undefined : JSON.parse(text)) as T;
}

function signedOut(problem: ApiError, options: Options): ApiError {
	if (problem.status === 401 && !options.anonymous) hooks.signedOut();
	return problem;
}

/** Sends, and again after the time the server asks for while it is away. */
async function attempt(url: string, request: RequestInit, tries: number): Promise<Response> {
	for (let left = tries - 1; ; left--) {
		const response = await fetch(url, request).catch((error: unknown) => {
			if (error instanceof DOMException && error.name === 'AbortError') throw error;
			throw ApiError.unreachable();
		});
		if (response.status !== 503 || left <= 0) return response;
		const asked = Number.parseInt(response.headers.get('retry-after') ?? '', 10) || 1;
		await pause(Math.min(asked, RETRY_AFTER_MAX_S) * 1000);
	}
}

function init(method: Method, body: unknown, options: Options, idempotency?: string): RequestInit {
	const headers: Record<string, string> = { accept: 'application/json' };
	if (idempotency) headers['idempotency-key'] = idempotency;
	const request: RequestInit = { method, headers, cache: 'no-store', signal: options.signal };
	if (body instanceof Blob) {
		headers['content-type'] = body.type;
		request.body = body;
	} else if (body !== undefined) {
		headers['content-type'] = 'application/json';
		request.body = JSON.stringify(body);
	}
	return request;
}

/** The address of a path below `/api/v1`. */
export function address(path: string, query: Options['query'] = {}): string {
	const given = Object.entries(query).filter(
		([, value]) => value !== undefined && value !== null && value !== ''
	);
	const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
	return `/api/v1${path}${given.length ? `?${search}` : ''}`;
}

/** A name for one wish: `crypto.randomUUID` is not there on pages without TLS. */
function key(): string {
	return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
		byte.toString(16).padStart(2, '0')
	).join('');
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
