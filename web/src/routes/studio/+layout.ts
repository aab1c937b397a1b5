import { signedIn } from '$lib/guard';
import type { LayoutLoad } from './$types';

export const load: LayoutLoad = ({ url }) => signedIn(url);
