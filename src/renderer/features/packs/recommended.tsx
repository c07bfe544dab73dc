import type { PackSummary } from '#shared/api/packs.ts';
import { sceneOf } from '#shared/document/document.ts';
import { partsThatDiffer } from '#shared/document/model-values.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';
import { takeModelValues, valueWords } from './choose-model.ts';

/** What a model recommends; of the scene's own model one click takes what the scene has otherwise. */
export function RecommendedLine({ pack, chosen }: { readonly pack: PackSummary; readonly chosen: boolean }) {
  const studio = useStudio();
  const t = useT();
  const differs = useDocument((state) => partsThatDiffer(sceneOf(state.document), pack.defaults).length > 0);
  return (
    <div className="facts-line num recommended">
      {t('packs.recommends', { values: valueWords(pack.defaults) })}
      {chosen && differs ? (
        <Button size="s" onClick={() => takeModelValues(studio)}>
          {t('packs.values')}
        </Button>
      ) : null}
    </div>
  );
}
