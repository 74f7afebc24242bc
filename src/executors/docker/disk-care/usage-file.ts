/** In the state folder: which images and cache volumes jobs used. */
export const dockerUsageFileName = 'docker-usage.json';
