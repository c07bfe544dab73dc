import { Eye, EyeOff, Move, Trash2 } from 'lucide-react';
import type { ReferenceRecord } from '#shared/document/records.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio, useView } from '../../app/studio.ts';
import { withRecords, withoutRecords } from '../../store/recipes.ts';
import { IconButton } from '../../ui/button.tsx';
import { SliderRow } from '../../ui/slider.tsx';

/** The pictures that are drawn after: how strongly each is seen, and a way to be rid of it. */
export function ReferenceList() {
  const t = useT();
  const document = useDocument((state) => state.document);
  const references = Object.values(document).filter((record) => record.type === 'reference');
  if (references.length === 0) return null;
  return (
    <section className="reference-list" aria-label={t('canvas.references')}>
      <h3>{t('canvas.references')}</h3>
      {references.map((record, index) => (
        <Reference key={record.id} record={record} label={t('canvas.reference', { number: index + 1 })} />
      ))}
    </section>
  );
}

function Reference({ record, label }: { readonly record: ReferenceRecord; readonly label: string }) {
  const t = useT();
  const { document, view } = useStudio();
  const placing = useView((state) => state.reference === record.id);
  const { id, opacity, visible } = record;
  const patch = (part: Partial<ReferenceRecord>, gesture?: string): void =>
    void document.edit(
      'edit.referenceLook',
      (before) => {
        const now = before[id];
        return now?.type === 'reference' ? withRecords(before, [{ ...now, ...part }]) : before;
      },
      gesture === undefined ? {} : { extend: gesture },
    );
  return (
    <div className="reference-row">
      <SliderRow
        label={label}
        value={Math.round(opacity * 100)}
        min={0}
        max={100}
        step={1}
        unit="%"
        onChange={(percent) => patch({ opacity: percent / 100 }, `opacity:${id}`)}
        onDone={() => document.seal()}
      />
      <IconButton
        label={t('canvas.reference.place')}
        icon={<Move />}
        size="s"
        pressed={placing}
        disabled={!visible}
        onClick={() => view.setState({ reference: placing ? null : id, tool: 'select' })}
      />
      <IconButton
        label={t(visible ? 'canvas.reference.hide' : 'canvas.reference.show')}
        icon={visible ? <Eye /> : <EyeOff />}
        size="s"
        onClick={() => patch({ visible: !visible })}
      />
      <IconButton
        label={t('canvas.reference.remove')}
        icon={<Trash2 />}
        size="s"
        onClick={() => document.edit('edit.referenceRemove', (before) => withoutRecords(before, [id]))}
      />
    </div>
  );
}
