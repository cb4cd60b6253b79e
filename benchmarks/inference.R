# pROC's part of inference.py: waits for a number of cases on its input, then prints the processor
# seconds of one paired DeLong test. Rscript inference.R scores.bin: truth, a and b one after the
# other as doubles; each line "n repeats" is answered by "seconds z". R's start, the reading and the
# garbage collection before are not counted.
suppressPackageStartupMessages(library(pROC))
path <- commandArgs(trailingOnly = TRUE)[1]
columns <- matrix(readBin(path, "double", file.size(path) / 8), ncol = 3)
curve <- function(truth, scores) roc(truth, scores, levels = c(0, 1), direction = "<", quiet = TRUE)
input <- file("stdin", "r")
while (length(line <- readLines(input, 1)) > 0) {
  asked <- as.integer(strsplit(line, " ")[[1]])
  rows <- seq_len(asked[1])
  truth <- columns[rows, 1]
  a <- columns[rows, 2]
  b <- columns[rows, 3]
  spent <- system.time(for (i in seq_len(asked[2])) test <- roc.test(curve(truth, a), curve(truth, b), method = "delong", paired = TRUE))
  cat(sprintf("%.9f %.17g\n", sum(spent[1:2]) / asked[2], test$statistic))
}
