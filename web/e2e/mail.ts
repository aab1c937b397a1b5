/** A mail server that keeps what it is given. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface Mail {
	to: string;
	/** Without the line breaks and signs that quoted-printable put in (RFC 2045 §6.7). */
	text: string;
}

export class MailServer {
	readonly mails: Mail[] = [];
	readonly #server = createServer((socket) => void this.#talk(socket));

	/** Starts one on a free port; returns it. */
	async start(): Promise<number> {
		await once(this.#server.listen(0, '127.0.0.1'), 'listening');
		return (this.#server.address() as AddressInfo).port;
	}

	stop() {
		this.#server.close();
	}

	/** The address in the newest mail to somebody that leads to this page. */
	link(to: string, page: string): string | undefined {
		const mail = this.mails.findLast((mail) => mail.to === to);
		return mail?.text.match(/https?:\/\/[^\s"<>]+/g)?.find((link) => new URL(link).pathname === page);
	}

	/** RFC 5321, as far as one client that behaves goes. */
	async #talk(socket: Socket) {
		const say = (line: string) => socket.write(`${line}\r\n`);
		let [to, body]: [string, string[] | null] = ['', null];
		say('220 sink');
		for await (const line of createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })) {
			if (body) {
				if (line !== '.') {
					body.push(line);
					continue;
				}
				this.mails.push({ to, text: decoded(body) });
				body = null;
				say('250 kept');
			} else if (/^RCPT TO:/i.test(line)) {
				to = /<(.*)>/.exec(line)?.[1] ?? '';
				say('250 fine');
			} else if (/^DATA/i.test(line)) {
				body = [];
				say('354 go on');
			} else if (/^QUIT/i.test(line)) {
				socket.end('221 bye\r\n');
			} else {
				say('250 sink');
			}
		}
	}
}

function decoded(lines: string[]): string {
	const joined = lines.map((line) => (line.endsWith('=') ? line.slice(0, -1) : `${line}\n`)).join('');
	return joined.replace(/=([0-9A-F]{2})/g, (_, digits: string) =>
		String.fromCharCode(Number.parseInt(digits, 16))
	);
}
