/** `npm run simulate -- --seeds N --seed S`: puts the stand-ins in place, then runs. */
import { register } from 'node:module';

register(new URL('./loader.js', import.meta.url));
const { main } = await import('./cli.ts');
await main(process.argv.slice(2));
