"""Maps of what a network looks at: SmoothGrad x input on test cases, kept small and without losing their scale."""
