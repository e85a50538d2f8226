/** How many films are compared at a time. */
export const LEAST = 2;
export const MOST = 3;
