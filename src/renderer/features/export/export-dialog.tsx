import './export.css';
import { lossWords } from '../../app/host-words/host-words.ts';
import { Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { CallInput, CallOutput } from '#shared/api/calls.ts';
import { toRecords } from '#shared/document/document.ts';
import { formatBytes } from '../../app/format.ts';
import { translate, useT } from '../../app/i18n/texts.ts';
import { useDocument, useSession, useStudio, useView } from '../../app/studio.ts';
import type { Studio } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SliderRow } from '../../ui/slider.tsx';
import { SceneThumb } from '../scene/scene-thumb.tsx';
import { FORMATS } from './formats.ts';

type Made = CallOutput<'export.create'>;

/** Export with a look at what comes out, and a word on what the format cannot carry. */
export function ExportDialog({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const document = useDocument((state) => state.document);
  const shown = useView((view) => view.shown);
  const { results, compare } = { ...useSession((s) => ({ results: s.results })), ...useView((v) => ({ compare: v.compare })) }; // prettier-ignore
  const result = shown.kind === 'result' ? shown.id : (results[0]?.id ?? null);
  const picture = shown.kind === 'result' ? shown.picture : (results[0]?.picture ?? null);
  const [format, setFormat] = useState(FORMATS.find((one) => !one.needsResult || result) ?? FORMATS[3]);
  const [quality, setQuality] = useState(92);
  const [answer, setAnswer] = useState<{ key: string; made: Made | null } | null>(null);
  const chosen = format?.format ?? 'spatext';
  const marked = compare.length > 0 ? [...compare] : results.slice(0, 12).map((one) => one.id);

  const request: CallInput<'export.create'> = {
    records: toRecords(document),
    format: chosen,
    result,
    results: chosen === 'sheet' || chosen === 'spatext' ? marked : [],
    quality: format?.quality ? quality : 92,
  };
  const key = JSON.stringify(request);
  useEffect(() => {
    let gone = false;
    // Dragging the quality makes one export when it rests.
    const timer = setTimeout(
      () =>
        studio.attempt(async () => {
          try {
            const made = await studio.api.call('export.create', JSON.parse(key) as typeof request);
            if (!gone) setAnswer({ key, made });
          } catch (error) {
            if (!gone) setAnswer({ key, made: null });
            throw error;
          }
        }),
      200,
    );
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [studio, key]);
  const busy = answer?.key !== key;
  const made = busy ? null : answer.made;

  const pictureFormat = made?.type.startsWith('image/') && made.type !== 'image/svg+xml' && made.type !== 'image/openraster' && !made.type.includes('photoshop'); // prettier-ignore
  return (
    <Dialog
      title={t('export.title')}
      size="l"
      onClose={onClose}
      footer={
        <>
          <span className="num">
            {made && !busy
              ? `${made.fileName} · ${formatBytes(made.bytes)}`
              : t(busy ? 'export.making' : 'export.failed')}
          </span>
          <span className="spacer" />
          <Button look="plain" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button
            look="accent"
            disabled={!made || busy}
            onClick={() =>
              made &&
              studio.attempt(async () => {
                if (await deliver(studio, made)) onClose();
              })
            }
          >
            <Download /> {t('export.save')}
          </Button>
        </>
      }
    >
      <div className="export">
        <div className="export-formats" role="radiogroup" aria-label={t('export.format')}>
          {FORMATS.map((one) => (
            <button
              key={one.format}
              type="button"
              role="radio"
              aria-checked={one.format === chosen}
              disabled={one.needsResult && !result}
              onClick={() => setFormat(one)}
            >
              {one.name}
              <small>{t(one.words)}</small>
            </button>
          ))}
        </div>
        <div className="export-side">
          <div className="export-preview" aria-busy={busy}>
            {made && pictureFormat ? (
              <img src={studio.blobUrl(made.blob)} alt={t('export.preview')} />
            ) : picture && (chosen === 'psd' || chosen === 'ora') ? (
              // As in the file: the picture below, the segments above it.
              <span className="export-layers">
                <img src={studio.blobUrl(picture)} alt={t('export.preview')} />
                <SceneThumb records={toRecords(document)} />
              </span>
            ) : picture && format?.needsResult ? (
              <img src={studio.blobUrl(picture)} alt={t('export.preview')} />
            ) : (
              <SceneThumb records={toRecords(document)} />
            )}
          </div>
          {format?.quality ? (
            <SliderRow label={t('export.quality')} value={quality} min={1} max={100} step={1} onChange={setQuality} />
          ) : null}
          {made && made.losses.length > 0 ? (
            <div className="losses">
              <b>{t('export.losses')}</b>
              <ul>
                {made.losses.map((loss) => (
                  <li key={loss}>{lossWords(loss)}</li>
                ))}
              </ul>
            </div>
          ) : null}
        </div>
      </div>
    </Dialog>
  );
}

/** Hands the made file over: by the native dialog where there is one, else as a download. @returns whether it went */
async function deliver(studio: Studio, made: Made): Promise<boolean> {
  if (studio.session.getState().info?.dialogs) {
    const { path } = await studio.api.call('dialog.save', { suggestedName: made.fileName });
    if (path === null) return false;
    await studio.api.call('blobs.saveAs', {
      hash: made.blob,
      path,
      ...(made.legend === null ? {} : { legend: made.legend }),
    });
  } else {
    download(studio, made.blob, made.fileName);
    if (made.legend !== null) download(studio, made.legend, `${made.fileName}.json`);
  }
  studio.session.notify({ level: 'info', message: translate('export.done', { name: made.fileName }) });
  return true;
}

function download(studio: Studio, blob: string, fileName: string): void {
  const link = window.document.createElement('a');
  link.href = `${studio.blobUrl(blob)}?download=${encodeURIComponent(fileName)}`;
  link.download = fileName;
  link.click();
}
