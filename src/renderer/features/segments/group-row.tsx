import { ChevronDown, Eye, EyeOff } from 'lucide-react';
import type { GroupRecord, SegmentRecord } from '#shared/document/records.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio } from '../../app/studio.ts';
import { IconButton } from '../../ui/button.tsx';
import { Editable } from '../../ui/editable.tsx';
import { patchGroup, patchSegments } from './actions.ts';

/** A folder of segments. */
export function GroupRow({
  group,
  members,
}: {
  readonly group: GroupRecord;
  readonly members: readonly SegmentRecord[];
}) {
  const studio = useStudio();
  const t = useT();
  const visible = members.some((member) => member.visible);
  const ids = members.map((member) => member.id);
  return (
    <div className="group-row" role="row" aria-label={group.name || t('segments.group')}>
      <div className="group-cell" role="gridcell">
        <IconButton
          size="s"
          label={t(group.collapsed ? 'segments.expand' : 'segments.collapse')}
          icon={<ChevronDown />}
          aria-expanded={!group.collapsed}
          onClick={() => patchGroup(studio, 'edit.collapse', group.id, { collapsed: !group.collapsed })}
        />
        <Editable
          label={t('segments.groupName')}
          value={group.name}
          placeholder={t('segments.group')}
          maxLength={200}
          onChange={(name) => patchGroup(studio, 'edit.rename', group.id, { name: name.trim() })}
        />
        <span className="count num">{members.length}</span>
        <IconButton
          size="s"
          icon={visible ? <Eye /> : <EyeOff />}
          label={t(visible ? 'segments.hide' : 'segments.show')}
          onClick={() => patchSegments(studio, 'edit.visibility', ids, { visible: !visible })}
        />
      </div>
    </div>
  );
}
