# pROC's answers for the data sets of a file, and its own aSAH data with its tests. Levels and
# direction are fixed: never flipped. Rscript proc.R sets.csv answers.csv asah.csv asah_answers.csv
suppressPackageStartupMessages(library(pROC))
path <- commandArgs(trailingOnly = TRUE)
digits <- function(x) sprintf("%.17g", x)
curve <- function(truth, scores) roc(truth, scores, levels = c(0, 1), direction = "<", quiet = TRUE)
compare <- function(truth, a, b) {
  first <- curve(truth, a)
  second <- curve(truth, b)
  test <- roc.test(first, second, method = "delong", paired = TRUE)
  c(auc(first), auc(second), var(first, method = "delong"), var(second, method = "delong"),
    cov(first, second, method = "delong"), test$statistic, test$p.value)
}
header <- c("name", "auc_a", "auc_b", "variance_a", "variance_b", "covariance", "z", "p")
answer <- function(name, values) paste(c(name, digits(values)), collapse = ",")

sets <- split(read.csv(path[1]), ~set)
lines <- vapply(sets, function(one) answer(one$set[1], compare(one$truth, one$a, one$b)), "")
writeLines(c(paste(header, collapse = ","), lines), path[2])

data(aSAH)
truth <- as.numeric(aSAH$outcome == "Poor")
scores <- list(s100b = aSAH$s100b, ndka = aSAH$ndka, wfns = as.numeric(aSAH$wfns))
table <- do.call(paste, c(list(truth), lapply(scores, digits), sep = ","))
writeLines(c("truth,s100b,ndka,wfns", table), path[3])
pairs <- list(c("s100b", "ndka"), c("s100b", "wfns"), c("wfns", "ndka"))
lines <- vapply(pairs, function(two) answer(paste(two, collapse = "-"), compare(truth, scores[[two[1]]], scores[[two[2]]])), "")
writeLines(c(paste(header, collapse = ","), lines), path[4])
