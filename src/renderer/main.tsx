import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { boot, refresh } from './app/boot.ts';
import { connect } from './app/bridge.ts';
import { startStudio } from './app/start.tsx';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
await startStudio(await connect(), { boot, refresh }, (studio) => createRoot(root).render(<App studio={studio} />));
