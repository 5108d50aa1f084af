assert new File(basedir, 'build.log').text.contains('Two executions make the image two-of-one-name-1.img. [parameter classifier, -Dunikernel.classifier] Give each execution a classifier of its own.')
