export const en = {
  'app.name': 'SpaText Studio',
} as const;
