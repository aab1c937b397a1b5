/** What went wrong, as the server says it (RFC 9457). */

/** One field that is not as it should be. */
export interface FieldProblem {
	/** A JSON Pointer into what was sent, such as `/owner/email`. */
	pointer: string;
	detail: string;
}

interface Document {
	title?: string;
	detail?: string;
	code?: string;
	errors?: FieldProblem[];
}

/** An answer that is not the one asked for. `status` 0: no answer came at all. */
export class ApiError extends Error {
	override name = 'ApiError';

	constructor(
		readonly status: number,
		readonly code: string,
		readonly title: string,
		readonly detail: string | null = null,
		readonly errors: FieldProblem[] = [],
		/** Seconds after which another try makes sense. */
		readonly retryAfter: number | null = null
	) {
		super(detail ?? title);
	}

	/** The problem in a response that is not `ok`, whatever its body is. */
	static async from(response: Response): Promise<ApiError> {
		const body = (await response.json().catch(() => ({}))) as Document | null;
		const known = typeof body === 'object' && body !== null ? body : {};
		return new ApiError(
			response.status,
			known.code ?? fallbackCode(response.status),
			known.title ?? `The server answered ${response.status}`,
			known.detail ?? null,
			Array.isArray(known.errors) ? known.errors : [],
			seconds(response.headers.get('retry-after'))
		);
	}

	/** No answer: the network, or the server, is away. */
	static unreachable(): ApiError {
		return new ApiError(
			0,
			'unreachable',
			'The server does not answer',
			'Check the connection and try again.'
		);
	}

	/** What is wrong with a field, if this problem says so. */
	at(pointer: string): string | undefined {
		return this.errors.find((error) => error.pointer === pointer)?.detail;
	}
}

/** Anything thrown, as a problem that can be shown. */
export function asProblem(thrown: unknown): ApiError {
	if (thrown instanceof ApiError) return thrown;
	const detail = thrown instanceof Error ? thrown.message : String(thrown);
	return new ApiError(0, 'page', 'Something went wrong on this page', detail);
}

function fallbackCode(status: number): string {
	const codes: Record<number, string> = {
		401: 'unauthenticated',
		403: 'forbidden',
		404: 'not_found',
		429: 'rate_limited',
		503: 'unavailable'
	};
	return codes[status] ?? (status >= 500 ? 'internal' : 'invalid');
}

function seconds(header: string | null): number | null {
	const value = header === null ? Number.NaN : Number.parseInt(header, 10);
	return Number.isNaN(value) ? null : value;
}
