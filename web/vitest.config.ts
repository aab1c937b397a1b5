import { mergeConfig } from 'vitest/config';
import app from './vite.config';

export default mergeConfig(app, { test: { include: ['src/**/*.test.ts'], environment: 'node' } });
